# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways a check can end early. Both become part of its verdict, never a traceback for the reader."""

from __future__ import annotations


class CheckFault(Exception):
    """Root of both: a stable ``reason_code``, a one-line ``reason`` naming input and expectation, and the ``action`` that mends it."""

    def __init__(self, reason_code: str, reason: str, action: str = "") -> None:
        super().__init__(reason)
        self.reason_code = reason_code
        self.reason = reason
        self.action = action


class CheckError(CheckFault):
    """The check itself broke: unreachable service, unreadable answer, bad configuration. The verdict becomes ``error``."""


class CheckInconclusive(CheckFault):
    """The check ran but cannot say: a deadline passed, a precondition was not observed. The verdict becomes ``inconclusive``."""

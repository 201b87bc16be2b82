# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of how modules take part in check mode, where nothing about it is special."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragment named C(attributes)."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Whether the module can be run in check mode.
    support: full
  diff_mode:
    description: Whether the module shows what it changes.
    support: none
"""

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of this check, in the order they are judged and told; the modules that hold them register them here."""

from __future__ import annotations

from ..manifests.rules import Registry

RULES = Registry()

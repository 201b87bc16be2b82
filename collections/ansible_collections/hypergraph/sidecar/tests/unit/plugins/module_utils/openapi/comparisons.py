# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing two documents on a day that never changes."""

from __future__ import annotations

from datetime import date
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.compare import compare

TODAY = date(2026, 6, 1)


def rules_broken(released: dict[str, Any], candidate: dict[str, Any]) -> set[str]:
    return {change.rule for change in compare(released, candidate, TODAY).breaks}

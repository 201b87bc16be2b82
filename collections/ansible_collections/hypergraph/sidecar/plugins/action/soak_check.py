# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name; see plugin_utils/verdict_action.py for why there is an action at all."""

from __future__ import annotations

from ansible_collections.hypergraph.sidecar.plugins.plugin_utils.verdict_action import VerdictAction as ActionModule

__all__ = ["ActionModule"]

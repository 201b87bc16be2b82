# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that the checks of artifacts share: which chart is rendered and how, for which versions, and how strictly it is judged."""

from __future__ import annotations

from typing import Any

CHART: dict[str, dict[str, Any]] = {
    "chart_path": {"type": "path"},
    "release": {"type": "str", "default": "hypergraph"},
    "namespace": {"type": "str", "default": "hypergraph"},
    "values_files": {"type": "list", "elements": "path", "default": []},
    "set_values": {"type": "list", "elements": "str", "default": []},
    "api_versions": {"type": "list", "elements": "str", "default": []},
    "helm_path": {"type": "path"},
}
VERSIONS: dict[str, dict[str, Any]] = {
    "kube_version": {"type": "str", "default": "1.33"},
    "keda_version": {"type": "str", "default": "2.20"},
    "karpenter_version": {"type": "str", "default": "1.14"},
    "argocd_version": {"type": "str", "default": "3.5"},
}
STRICTNESS: dict[str, dict[str, Any]] = {
    "production": {"type": "bool", "default": False},
    "fail_on": {"type": "str", "choices": ["error", "warning"], "default": "error"},
    "disabled_rules": {"type": "list", "elements": "str", "default": []},
    "deadline": {"type": "float", "default": 60.0},
}

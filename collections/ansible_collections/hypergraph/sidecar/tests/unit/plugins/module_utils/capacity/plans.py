# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of capacity_check as the module hands them over, for a deployment that holds, to be changed one place at a time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.capacity import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Inspection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict

CPU, GPU = 0, 1
_HOLDING: Mapping[str, Any] = {
    "workload": {
        "base_chat_rate": 10.0,
        "peak_chat_rate": 40.0,
        "base_attach_rate": 0.2,
        "peak_attach_rate": 0.5,
        "token_fraction": 0.25,
        "burst_factor": 2.0,
        "burst_seconds": 10.0,
        "slo_seconds": {"sentence": 2.0, "token": 8.0},
    },
    # At the peak, 15 sentences/s keep 7.5 workers busy, 12 by the p95: 5 replicas of 4 x 0.7. Tokens, 5/s, keep 10 busy, 15 by the p95: 6.
    "service_times": {
        "sentence": {"mean_seconds": 0.5, "p95_seconds": 0.8, "basis": "assumed"},
        "token": {"mean_seconds": 2.0, "p95_seconds": 3.0, "basis": "assumed"},
    },
    "explainers": [
        {
            "name": "explainer-cpu",
            "granularities": ["sentence"],
            "concurrency": 4,
            "min_replicas": 1,
            "max_replicas": 6,
            "backlog_seconds_target": 1.0,
            "cold_start_seconds": 20.0,
        },
        {
            "name": "explainer-gpu",
            "granularities": ["token"],
            "concurrency": 4,
            "min_replicas": 1,
            "max_replicas": 8,
            "backlog_seconds_target": 4.0,
            "cold_start_seconds": 240.0,
        },
    ],
    "concurrency_env": "EXPLAINER_WORKERS",
    "target_utilisation": 0.7,
    "slack": 0.2,
    "chart_path": None,
    "release": "test",
    "namespace": "sidecar",
    "values_files": [],
    "set_values": [],
    "api_versions": [],
    "helm_path": None,
    "kube_version": "1.33",
    "deadline": 60.0,
    "fail_on": "error",
    "disabled_rules": [],
    "ca_path": None,
    "validate_certs": True,
    "timeout": 5.0,
}


def arguments(**changes: Any) -> dict[str, Any]:
    """The arguments with changes; those of ``cpu`` and ``gpu`` go to that explainer, ``workload`` and ``service_times`` are added to."""
    params = copy.deepcopy(dict(_HOLDING))
    for position, name in ((CPU, "cpu"), (GPU, "gpu")):
        params["explainers"][position].update(changes.pop(name, {}))
    for name in ("workload", "service_times"):
        if isinstance(changes.get(name), Mapping):
            params[name].update(changes.pop(name))
    return {**params, **changes}


def inspected(params: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The verdict and the findings."""
    run = Inspection(Verdict("capacity_attach_rate"), params)
    check.examine(run)
    return run.verdict.to_dict(), run.findings

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of checks: stable ids, in the order a reader meets them, with the tags that select them and the runbook that helps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One check. ``would_fail`` says what defect turns it red: a green line is worth what it could have caught.

    ``groups`` are the inventory groups whose hosts its tasks run on, one host of each where it is ``one_host``; a check without any runs
    on the controller. One that is not ``routine`` has a playbook of its own, and a run that names no required checks does not ask for it.
    """

    id: str
    title: str
    tags: tuple[str, ...]
    would_fail: str
    groups: tuple[str, ...] = ()
    one_host: bool = False
    waivable: bool = True
    routine: bool = True

    @property
    def runbook(self) -> str:
        """Anchor of the runbook entry, relative to the collection's documentation."""
        return f"docs/runbooks/checks.md#{self.id}"


CATALOG = (
    Check(
        "preflight",
        "The inventory names hosts for every group that checks run on",
        ("always",),
        "an inventory group without a host",
        waivable=False,
    ),
    Check(
        "gateway_rbac",
        "Every route asks for the scope it should, and a deny changes nothing",
        ("runtime", "security"),
        "a route served without token or scope, a deny that still acts, a legitimate caller refused",
        groups=("sidecar_probes",),
    ),
    Check(
        "trace_workflow",
        "A chat becomes a trace, moves only forward, and ends in a valid hypergraph",
        ("runtime",),
        "an illegal or missing state, a graph that breaks HIF or its own meaning, a cancel or webhook that is ignored",
        groups=("sidecar_probes",),
    ),
    Check(
        "tenant_isolation",
        "No tenant sees or touches what belongs to another",
        ("runtime", "security"),
        "a foreign trace, graph, list row or webhook that is readable, a foreign cancel that acts, a record that changes tenant",
        groups=("sidecar_probes", "sidecar_explainers"),
        waivable=False,
    ),
    Check(
        "observability",
        "The metrics exist, move, and stay countable",
        ("runtime",),
        "a family missing or frozen, buckets that cannot show the SLO, a label that grows with traffic",
        groups=("sidecar_probes",),
    ),
    Check(
        "backpressure",
        "Driven beyond what it can bear, it refuses politely, serves on, loses nothing, and recovers",
        ("load",),
        "a 429 without Retry-After, chats that suffer with the explanations, an accepted trace lost, goodput that collapses",
        groups=("sidecar_probes",),
        one_host=True,
        routine=False,
    ),
    Check(
        "slo_adherence",
        "Under load, every class keeps its objective, from the first minute to the last",
        ("load",),
        "a slow tail, errors, a failure late in the run, a percentile that rose since the baseline",
        routine=False,
    ),
    Check(
        "deploy_artifacts",
        "What is to be deployed renders, is valid, and holds together",
        ("static", "live"),
        "a chart that does not render or validate, a selector that matches nothing, a missing probe, limit or budget, a bad Argo CD app",
    ),
    Check(
        "autoscaling_policies",
        "KEDA, the HPA, Karpenter and the chart's values agree, and what they ask for fits",
        ("static",),
        "two owners of one replica count, bounds or thresholds that differ from the values, a node pool too small for the maximum",
    ),
    Check(
        "capacity_attach_rate",
        "The replicas allowed carry the explanations expected, with slack",
        ("static",),
        "a maximum below what the attach rate asks for, a minimum that starts cold, a backlog that is not drained in time",
    ),
    Check(
        "audit_pii",
        "Every action is audited, and no secret or personal data is in the log",
        ("runtime", "security"),
        "an action without entry, a credential in any encoding, an unscrubbed e-mail, phone, card or key",
        groups=("sidecar_gateways",),
        waivable=False,
    ),
    Check(
        "api_versioning",
        "The API is served as documented, under /v1, without an unannounced break",
        ("runtime", "static"),
        "a path outside /v1, a served document that differs, a breaking change without a major version",
        groups=("sidecar_probes",),
    ),
    Check(
        "chaos_recovery",
        "The service shows a fault, keeps it from the chat, and recovers when it is taken back",
        ("chaos",),
        "a fault that stays when taken back, a dead-man that does not act, chats that suffer, a recovery over its budget",
        groups=("sidecar_explainers",),
        routine=False,
    ),
)

CHECK_OF_MODULE = {
    "api_check": "api_versioning",
    "argocd_check": "deploy_artifacts",
    "audit_check": "audit_pii",
    "backpressure_probe": "backpressure",
    "autoscaling_check": "autoscaling_policies",
    "capacity_check": "capacity_attach_rate",
    "chaos_reaper": "preflight",
    "chart_check": "deploy_artifacts",
    "dashboard_check": "observability",
    "live_check": "deploy_artifacts",
    "metrics_probe": "observability",
    "rbac_probe": "gateway_rbac",
    "recovery_check": "chaos_recovery",
    "slo_check": "slo_adherence",
    "soak_check": "slo_adherence",
    "status_store_check": "tenant_isolation",
    "tenant_probe": "tenant_isolation",
    "trace_probe": "trace_workflow",
}

_BY_ID = {check.id: check for check in CATALOG}


def find(check_id: str) -> Check | None:
    """The catalogued check, or None for one that a team added in YAML."""
    return _BY_ID.get(check_id)

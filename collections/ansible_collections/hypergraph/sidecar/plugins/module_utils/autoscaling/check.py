# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of autoscaling policies: what scales workloads, what nodes there are for them, and whether the one fits the other."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from ..examination import Inspection
from ..manifests import helm
from ..manifests.bundle import Bundle, Versions
from ..manifests.documents import read_documents
from ..manifests.objects import Object
from ..manifests.rules import Rule, hold
from . import (
    bounds,
    fallback,
    karpenter_node_classes,
    karpenter_node_pools,
    karpenter_placement,
    karpenter_versions,
    keda_queries,
    ownership,
    queues,
    trigger_rules,
    values_agreement,
)
from .karpenter_pools import GROUP as KARPENTER
from .registry import RULES
from .targets import autoscalers
from .triggers import triggers

# In the order they are judged and told: what refers to nothing first, then what is not as it was set, then what does not work.
_ROOMS = (
    ownership,
    values_agreement,
    bounds,
    trigger_rules,
    queues,
    keda_queries,
    fallback,
    karpenter_versions,
    karpenter_node_classes,
    karpenter_node_pools,
    karpenter_placement,
)
# Rules that read PromQL.
_ON_QUERIES = frozenset(
    {
        "scaler-query-invalid",
        "scaler-query-returns-many",
        "scales-to-zero-by-own-metric",
        "intensive-metric-averaged",
        "backlog-target-disagrees",
    }
)


def rules() -> list[Rule]:
    """All rules of this check in their order."""
    order = [room.__name__ for room in _ROOMS]
    return sorted(RULES, key=lambda rule: order.index(rule.judge.__module__))


def examine(run: Inspection) -> None:
    """Hold the chart at ``chart_path`` and the files at ``karpenter_paths`` to the rules, as ``argocd_paths`` has them deployed."""
    versions = Versions.of(run.params)
    if not run.params["chart_path"] and not run.params["karpenter_paths"]:
        reason = "chart_path and karpenter_paths are empty, so there is nothing to examine"
        run.verdict.skip("dependency_missing", reason, "Set sidecar_chart_path and sidecar_karpenter_paths.")
        return
    rendered = _rendered(run)
    bundle = Bundle(
        rendered=rendered.objects if rendered else (),
        argocd=read_documents(run.params["argocd_paths"]),
        karpenter=_node_pools(run),
        values=rendered.values if rendered else {},
        namespace=run.params["namespace"],
        production=run.params["production"],
        versions=versions,
    )
    if rendered:
        _expect_autoscalers(run, bundle)
    for unit, found in (("autoscalers", list(autoscalers(bundle))), ("triggers", list(triggers(bundle)))):
        # That there are none is told above; nodes are judged by themselves, and HorizontalPodAutoscalers have no triggers.
        if found:
            run.verdict.examine(unit, len(found))
    # Their parameters are judged by nobody.
    run.verdict.record(trigger_types_not_examined=trigger_rules.unknown_types(bundle))
    if rendered or bundle.karpenter:
        hold(run, _readable(run, bundle), bundle)


def _readable(run: Inspection, bundle: Bundle) -> list[Rule]:
    """The rules that can be held here: without the library for PromQL those on queries cannot, which the verdict says."""
    needing = [rule.id for rule in rules() if rule.id in _ON_QUERIES and rule.id not in run.params["disabled_rules"]]
    if find_spec("promql_parser") or not needing or not any(trigger.type == "prometheus" for trigger in triggers(bundle)):
        return rules()
    reason = f"{', '.join(needing)}: the Python library promql-parser is not installed where the check runs"
    run.verdict.skip("dependency_missing", reason, "Install promql-parser there, or run the check from the controller.")
    return [rule for rule in rules() if rule.id not in needing]


def _rendered(run: Inspection) -> helm.Rendered | None:
    """The chart; None where it cannot be had, which the verdict says then."""
    if not run.params["chart_path"]:
        run.verdict.skip("dependency_missing", "autoscalers of the chart, since chart_path is empty", "Set sidecar_chart_path.")
        return None
    try:
        found = helm.render(run.params)
    except helm.HelmMissing as missing:
        run.verdict.skip("dependency_missing", f"autoscalers of the chart: {missing.reason}", missing.action)
        return None
    run.verdict.record(rendered_objects=len(found.objects))
    return found


def _node_pools(run: Inspection) -> tuple[Object, ...]:
    if not run.params["karpenter_paths"]:
        reason = "whether nodes bear full scale, since karpenter_paths is empty"
        run.verdict.skip("dependency_missing", reason, "Set sidecar_karpenter_paths where Karpenter makes the nodes.")
        return ()
    found = read_documents(run.params["karpenter_paths"])
    pools = [one for one in found if one.group == KARPENTER and one.kind == "NodePool"]
    run.verdict.expect(
        "the files hold NodePools",
        bool(pools),
        reason_code="no-node-pools",
        expected="at least one NodePool",
        observed=f"{len(found)} objects: {', '.join(_kinds(found)) or 'none'}",
        action="Point sidecar_karpenter_paths at the files with the NodePools.",
    )
    run.verdict.examine("NodePools", len(pools))
    return found


def _expect_autoscalers(run: Inspection, bundle: Bundle) -> None:
    """Nothing rendered to scale by is no pass: it is off where the values say so, and missing anywhere else."""
    scaled = {scaler.target.name for scaler in autoscalers(bundle)}
    wanted = sorted(set(run.params["autoscaled_workloads"]) - scaled)
    told = list(values_agreement.settings(bundle))
    if told and not scaled and not wanted and all(one.switched_off for one in told):
        reason = "autoscalers, since the values switch all of them off"
        run.verdict.skip("disabled_by_config", reason, "Set autoscaling.enabled in the values where it is meant to be on.")
        return
    run.verdict.expect(
        "the workloads have autoscalers",
        bool(scaled) and not wanted,
        reason_code="scaled-object-missing",
        expected=f"autoscalers of {', '.join(run.params['autoscaled_workloads']) or 'at least one workload'}",
        observed=f"of {', '.join(sorted(scaled)) or 'none'} among {', '.join(_kinds(bundle.rendered)) or 'no objects'}",
        action="Render a ScaledObject for each workload that is scaled; correct its condition in the template, or autoscaled_workloads.",
    )


def _kinds(objects: Iterable[Object]) -> list[str]:
    return sorted({one.kind for one in objects})

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check as the module runs it: read what is declared, deployed and measured, size every explainer, hold the deployment to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..examination import Inspection
from ..faults import CheckError
from ..manifests import helm
from ..manifests.bundle import Bundle
from ..manifests.rules import hold
from ..verdict import Verdict
from . import inputs
from .deployed import Deployed, find
from .measured import scraped_service_times
from .model import ASSUMED, MEASURED, SAMPLES_NEEDED, Explainer, ServiceTime, Sizing, Workload, saturation, size
from .rules import REGISTRY, Plan

# Where reports look for the curves of this check.
CURVES = "replicas_by_attach_rate"
_DECLARATIONS = ("workload", "explainers")


def examine(run: Inspection) -> None:
    """Judge whether the explainers' bounds give what the declared workload needs."""
    absent = [name for name in _DECLARATIONS if not run.params[name]]
    if absent:
        run.verdict.skip(
            "dependency_missing",
            f"no {' and no '.join(absent)} declared, so there is nothing to size for",
            "Set sidecar_capacity to the workload, service times and explainers of the environment; see docs/guides/capacity.md.",
        )
        return
    workload = inputs.read_workload(run.params["workload"])
    margins = inputs.read_margins(run.params)
    declared = inputs.read_explainers(run.params["explainers"])
    stated_times = inputs.read_service_times(run.params["service_times"] or {})
    deployed = _deployed(run, declared)
    if deployed is None:
        return
    sizings = tuple(
        size(_explainer(one, deployed.get(one.name), _service_times(run, one, stated_times), margins), workload, margins.slack)
        for one in declared
    )
    _record(run.verdict, workload, sizings, deployed)
    if _samples_suffice(run.verdict, workload, sizings):
        _note_unknowns(run.verdict, workload, sizings)
        hold(run, REGISTRY, Plan(workload, sizings, deployed))
        _measure(run.verdict, sizings)


def _deployed(run: Inspection, declared: Iterable[inputs.Declared]) -> dict[str, Deployed] | None:
    """What the chart states, by explainer; None where it is needed and cannot be had, which the verdict says then."""
    if run.params["chart_path"]:
        try:
            found = helm.render(run.params)
        except helm.HelmMissing as missing:
            run.verdict.skip("dependency_missing", f"what the chart gives the explainers: {missing.reason}", missing.action)
            return None
        run.verdict.record(rendered_objects=len(found.objects))
        bundle = Bundle(rendered=found.objects, namespace=run.params["namespace"])
        return {one.name: find(bundle, one.name, run.params["concurrency_env"]) for one in declared}
    lacking = [f"{one.name}: {', '.join(one.left_to_chart)}" for one in declared if one.left_to_chart]
    if lacking:
        run.verdict.skip(
            "dependency_missing",
            f"no chart is given, and the explainers do not state what it would ({'; '.join(lacking)})",
            "Set sidecar_chart_path, or state these numbers.",
        )
        return None
    return {}


def _explainer(
    declared: inputs.Declared, deployed: Deployed | None, times: Mapping[str, ServiceTime], margins: inputs.Margins
) -> Explainer:
    """The explainer as deployed, and as declared where the chart says nothing."""

    def stated(name: str) -> Any:
        found = getattr(deployed, name) if deployed else None
        return getattr(declared, name) if found is None else found.value

    concurrency = stated("concurrency")
    if concurrency is None:
        raise CheckError(
            "concurrency-unknown",
            f"explainers[{declared.name}]: neither the chart (by concurrency_env) nor the arguments say how many workers a replica has",
            f"Set explainers[{declared.name}].concurrency, or concurrency_env to the variable that does.",
        )
    return Explainer(
        declared.name,
        times,
        int(concurrency),
        int(stated("min_replicas")),
        int(stated("max_replicas")),
        margins.target_utilisation,
        stated("backlog_seconds_target"),
        declared.cold_start_seconds,
    )


def _service_times(run: Inspection, declared: inputs.Declared, stated: Mapping[str, ServiceTime]) -> dict[str, ServiceTime]:
    """By granularity served; scraped where there is something to scrape. Raises CheckError where there is none for a granularity."""
    if declared.metrics_urls:
        return scraped_service_times(run.params, declared.metrics_urls, declared.granularities)
    for granularity in declared.granularities:
        if granularity not in stated:
            raise CheckError(
                "service-time-unknown",
                f"nothing says how long {declared.name} works on a {granularity} explanation",
                f"Set service_times.{granularity}, or metrics_urls of the explainer.",
            )
    return {granularity: stated[granularity] for granularity in declared.granularities}


def _samples_suffice(verdict: Verdict, workload: Workload, sizings: Iterable[Sizing]) -> bool:
    """Whether every service time that was measured, and matters, was measured often enough to bound its p95."""
    enough = True
    for sizing in sizings:
        for granularity, time in sizing.explainer.service_times.items():
            if time.samples is not None and workload.share(granularity) * workload.peak_attach_rate > 0:
                what = f"service time of {granularity} explanations on {sizing.explainer.name}"
                enough &= verdict.need(
                    what, SAMPLES_NEEDED, time.samples, action="Run load first, or state the service time as an assumption."
                )
    return enough


def _note_unknowns(verdict: Verdict, workload: Workload, sizings: Iterable[Sizing]) -> None:
    """What a rule would need and nobody stated makes the verdict inconclusive: not to look is no pass."""
    for sizing in sizings:
        one = sizing.explainer
        if one.min_replicas == 0 and one.cold_start_seconds is None and sizing.cold_start_budget is not None:
            verdict.inconclusive(
                "cold-start-unknown",
                f"{one.name} may scale to zero, and nothing says how long it takes to start",
                f"Set explainers[{one.name}].cold_start_seconds.",
            )
        if one.backlog_seconds_target is None and workload.burst_factor > 1 and workload.burst_seconds > 0:
            verdict.inconclusive(
                "backlog-target-unknown",
                f"nothing says how fast {one.name} is to work off a burst: the chart has no lag trigger of metric type Value",
                f"Set explainers[{one.name}].backlog_seconds_target.",
            )


def _record(verdict: Verdict, workload: Workload, sizings: tuple[Sizing, ...], deployed: Mapping[str, Deployed]) -> None:
    times = [
        (sizing.explainer.name, granularity, time) for sizing in sizings for granularity, time in sizing.explainer.service_times.items()
    ]
    verdict.examine("explainers", len(sizings))
    for basis in (ASSUMED, MEASURED):
        count = sum(time.basis == basis for _name, _granularity, time in times)
        if count:
            verdict.examine(f"{basis} service times", count)
    verdict.record(
        workload={name: value for name, value in vars(workload).items() if value is not None},
        service_times={f"{granularity} on {name}": _told(time) for name, granularity, time in times},
        explainers={sizing.explainer.name: _needs(sizing, deployed.get(sizing.explainer.name)) for sizing in sizings},
        **{CURVES: {sizing.explainer.name: _curve(sizing) for sizing in sizings}},
    )


def _measure(verdict: Verdict, sizings: tuple[Sizing, ...]) -> None:
    found = saturation(sizings)
    if found is not None:
        verdict.measure("attach_rate_at_saturation_ratio", round(found[0], 6))
    for sizing in sizings:
        name = sizing.explainer.name.replace("-", "_")
        verdict.measure(f"{name}_recommended_min_replicas", sizing.recommended_min)
        verdict.measure(f"{name}_recommended_max_replicas", sizing.recommended_max)


def _told(time: ServiceTime) -> dict[str, Any]:
    told: dict[str, Any] = {"basis": time.basis, "mean_seconds": round(time.mean, 6), "p95_seconds": round(time.p95, 6)}
    if time.samples is not None:
        told["samples"] = time.samples
    if time.origin:
        told["origin"] = time.origin
    return told


def _needs(sizing: Sizing, deployed: Deployed | None) -> dict[str, Any]:
    one = sizing.explainer
    numbers = {
        "min_replicas": one.min_replicas,
        "max_replicas": one.max_replicas,
        "concurrency": one.concurrency,
        "backlog_seconds_target": one.backlog_seconds_target,
    }
    sources = {name: getattr(deployed, name, None) for name, number in numbers.items() if number is not None}
    return {
        "deployed": numbers,
        "stated_by": {name: str(found) if found else "arguments" for name, found in sources.items()},
        "recommended": {"min_replicas": sizing.recommended_min, "max_replicas": sizing.recommended_max},
        "target_utilisation": one.target_utilisation,
        "slack": sizing.slack,
        "base_load": {"optimistic": sizing.base_optimistic, "conservative": sizing.base_conservative},
        "peak_load": {"optimistic": sizing.peak_optimistic, "conservative": sizing.peak_conservative},
        "burst": {"conservative": sizing.burst_conservative},
    }


def _curve(sizing: Sizing) -> dict[str, Any]:
    """What the plot of a report is made of."""
    one, workload, curve = sizing.explainer, sizing.workload, sizing.curve()
    limits = {
        basis: one.attach_rate_at_saturation(workload, conservative=conservative)
        for basis, conservative in (("optimistic", False), ("conservative", True))
    }
    return {
        "basis": sorted({time.basis for time in one.service_times.values()}),
        "attach_rate": list(curve.attach_rates),
        "optimistic": list(curve.optimistic),
        "conservative": list(curve.conservative),
        "deployed": [one.min_replicas, one.max_replicas],
        "recommended": [sizing.recommended_min, sizing.recommended_max],
        "peak_attach_rate": workload.peak_attach_rate,
        "attach_rate_at_saturation": {basis: round(rate, 6) for basis, rate in limits.items() if rate is not None},
    }

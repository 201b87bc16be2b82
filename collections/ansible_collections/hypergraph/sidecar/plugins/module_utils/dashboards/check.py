# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check: read the queries, ask the services what they export, hold the one to the other."""

from __future__ import annotations

from ..examination import Examination, Inspection
from ..faults import CheckError, CheckFault
from ..manifests.rules import hold
from ..metrics.expectations import Endpoint, endpoints
from ..metrics.scrape import Flaw, scrape
from .alert_rules import ALERT_RULES
from .exported import Exported, saved_scrape
from .grafana import read_dashboards
from .prometheus_rules import RuleEntry, read_rules, rules_of
from .queries import Query
from .questions import Questions
from .rules import QUERY_RULES
from .scaled_objects import scaler_queries

_SHOWN = 5


def examine(run: Examination) -> None:
    """Read and judge. Raises CheckError for arguments and artifacts that make no sense."""
    _check_arguments(run)
    # Which families there should be is for metrics_probe to examine.
    known, absent = endpoints({**endpoint, "families": []} for endpoint in run.params["endpoints"])
    scrapes = list(run.params["scrape_paths"])
    if not known and not scrapes:
        run.verdict.skip(
            "dependency_missing",
            "no metrics endpoint and no saved scrape is given, so nothing is known of what is exported",
            "Name the endpoints in sidecar_metrics_endpoints, or an answer of theirs that was saved in sidecar_scrape_paths.",
        )
        return
    queries, entries = _Artifacts(run).read()
    if queries is None:
        return
    exported = _exported(run, known, scrapes)
    for service in absent:
        exported.complete = False
        run.verdict.skip("disabled_by_config", f"the metrics of {service}, since its url is empty", "Set its url, where it has metrics.")
    if exported.series:
        _judge(
            run,
            Questions(
                tuple(queries),
                tuple(entries),
                exported,
                tuple(run.params["external_metrics"]),
                frozenset(run.params["target_labels"]),
                float(run.params["scrape_interval"]),
            ),
        )


def _check_arguments(run: Examination) -> None:
    for name in ("scrape_interval", "max_bytes"):
        if not run.params[name] > 0:
            raise CheckError("bad-argument", f"{name} is {run.params[name]}, expected more than 0", f"Set {name} to a positive number.")


class _Artifacts:
    """Reads what queries are in. What is not given is skipped and said so."""

    def __init__(self, run: Examination) -> None:
        self._run = run
        self._params = run.params

    def read(self) -> tuple[list[Query] | None, list[RuleEntry]]:
        """All queries, None where no artifact is given at all; and the rules."""
        queries: list[Query] = []
        entries: list[RuleEntry] = []
        given = [name for name in ("dashboard_paths", "rules_paths", "chart_path") if self._params[name]]
        for name in ("dashboard_paths", "rules_paths", "chart_path"):
            if name not in given:
                what = {"dashboard_paths": "dashboards", "rules_paths": "Prometheus rules", "chart_path": "ScaledObjects of the chart"}[
                    name
                ]
                self._run.verdict.skip("dependency_missing", f"the queries of {what}, since {name} is empty", f"Set sidecar_{name}.")
        if not given:
            return None, []
        if self._params["dashboard_paths"]:
            reading = read_dashboards(self._params["dashboard_paths"], float(self._params["scrape_interval"]))
            queries += reading.queries
            self._run.verdict.examine("dashboards", reading.dashboards)
            self._run.verdict.record(queries_of_other_datasources=reading.other_datasources)
        if self._params["rules_paths"]:
            entries += read_rules(self._params["rules_paths"])
        if self._params["chart_path"]:
            queries += self._chart(entries)
        queries += [entry.query for entry in entries if entry.query is not None]
        self._run.verdict.examine("queries", len(queries))
        return queries, entries

    def _chart(self, entries: list[RuleEntry]) -> list[Query]:
        from ..manifests import helm

        try:
            objects = helm.render(self._params).objects
        except helm.HelmMissing as missing:
            self._run.verdict.skip("dependency_missing", f"the queries of the chart: {missing.reason}", missing.action)
            return []
        for one in objects:
            entries += rules_of(one) or ()
        return list(scaler_queries(objects))


def _exported(run: Examination, known: tuple[Endpoint, ...], scrapes: list[str]) -> Exported:
    """What the endpoints and the saved scrapes hold. An endpoint that does not answer with metrics is told, and leaves a gap."""
    exported = Exported()
    for endpoint in known:
        try:
            found = scrape(run.client, endpoint.url, (), int(run.params["max_bytes"]))
        except Flaw as flaw:
            # What is wrong with an endpoint is for metrics_probe to say; here it only means that less is known.
            run.verdict.inconclusive(flaw.reason_code, f"{endpoint.label}: {flaw}", flaw.action)
        except CheckFault as fault:
            record = run.verdict.error if isinstance(fault, CheckError) else run.verdict.inconclusive
            record(fault.reason_code, f"{endpoint.label}: {fault.reason}", fault.action)
        else:
            exported.add(found.families.values())
            run.verdict.examine("endpoints", 1)
            continue
        exported.complete = False
    for path in scrapes:
        exported.add(saved_scrape(path, int(run.params["max_bytes"])))
        run.verdict.examine("saved scrapes", 1)
    return exported


def _judge(run: Examination, asked: Questions) -> None:
    inspection = Inspection(run.verdict, run.params)
    hold(inspection, [*QUERY_RULES, *ALERT_RULES], asked)
    run.findings = inspection.findings
    named = {use.selector.metric for _query, use in asked.uses() if use.selector.metric}
    external = sorted(name for name in named if asked.is_external(name))
    own = sorted(name for name in named if not asked.is_external(name) and not asked.is_open(name))
    run.verdict.examine("metrics", len(own))
    run.verdict.record(
        external_metrics=external,
        metrics_examined=own,
        metrics_exported_and_not_queried=sorted(
            name
            for name in asked.exported.families
            if not any(s.family == name and s.name in named for s in asked.exported.series.values())
        ),
    )
    _tell_gaps(run, asked, own, external)


def _tell_gaps(run: Examination, asked: Questions, own: list[str], external: list[str]) -> None:
    """What could not be examined, each by name."""
    if external:
        run.verdict.skip(
            "not_applicable",
            f"{len(external)} metrics of other systems: {_listed(external)}",
            "Narrow external_metrics, or give a scrape of the system that exports them, to have them examined.",
        )
    unlabelled = sorted(name for name in own if (series := asked.series(name)) is not None and series.labels is None)
    if unlabelled:
        run.verdict.skip(
            "not_applicable",
            f"the labels of {_listed(unlabelled)}, which have no series yet",
            "Initialise the series at zero, or run the check when the service has worked.",
        )
    undecided = sorted(name for name in own if name not in asked.exported.series and name not in asked.recorded)
    if undecided and not asked.exported.complete:
        run.verdict.inconclusive(
            "scrape-incomplete",
            f"{len(undecided)} metrics are not exported by what answered, and an endpoint is missing: {_listed(undecided)}",
            "Make every metrics endpoint answer.",
        )
    for query in asked.queries:
        if query.open_variables:
            run.verdict.inconclusive(
                "variable-without-value",
                f"{query.subject} in {query.place} depends on variable {', '.join(query.open_variables)}, which has no value in the file",
                "Save the dashboard with a present value of the variable.",
            )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more

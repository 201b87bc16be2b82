# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check: observe, then judge each endpoint by itself.

What one endpoint lacks is no reason not to examine the others, and what kept the service from being driven is none not to judge what was
seen at rest. Causes are judged before their consequences: an endpoint without exposition is not asked for its families, a family that is
missing not for its buckets.
"""

from __future__ import annotations

from ..examination import Examination
from ..faults import CheckError, CheckInconclusive
from . import cardinality, movement, presence
from .expectations import CHATS, EXPLANATIONS, Expectation, endpoints
from .observation import MIN_CHATS, ROUNDS, Observation, Service, Watch
from .scrape import SERVED, TYPED, VALID

MAX_AGE = 300.0
_FLAWS = {
    SERVED: "200",
    TYPED: "text/plain; version=0.0.4, or application/openmetrics-text; version=1.0.0",
    VALID: "lines of the format",
}


def examine(run: Examination) -> None:
    """Observe and judge. Raises CheckError for an argument that makes no sense."""
    _check_arguments(run)
    known, absent = endpoints(run.params["endpoints"])
    for service in absent if known else ():
        run.verdict.skip("disabled_by_config", f"the metrics of {service}, since its url is empty", "Set its url, where it has metrics.")
    if not known:
        run.verdict.skip(
            "disabled_by_config",
            "no metrics endpoint is configured, so there is nothing to scrape",
            "Name the metrics endpoints in sidecar_metrics_endpoints, and turn the metrics on (ENABLE_OTEL=1).",
        )
        return
    seen = Observation(run, known)
    try:
        seen.observe()
    finally:
        Judgement(run, seen).judge()


def _check_arguments(run: Examination) -> None:
    for name in ("trace_deadline", "settle", "max_bytes"):
        if not run.params[name] > 0:
            raise CheckError("bad-argument", f"{name} is {run.params[name]}, expected more than 0", f"Set {name} to a positive number.")
    if run.params["chats"] and run.params["chats"] < MIN_CHATS:
        raise CheckError(
            "bad-argument",
            f"chats is {run.params['chats']}, expected at least {MIN_CHATS}: fewer do not show whether labels grow with requests",
            "Raise chats, or set it to 0 to read the metrics without driving them.",
        )


class Judgement:
    """Turns an observation into records of the verdict."""

    def __init__(self, run: Examination, seen: Observation) -> None:
        self._run = run
        self._verdict = run.verdict
        self._seen = seen
        self._driven = len(seen.rounds) >= ROUNDS

    def judge(self) -> None:
        """Judge all of it."""
        if self._driven:
            self._judge_drive()
        for service in self._seen.services:
            self._judge_service(service)
        readable = [watch for watch in self._seen.watches if watch.readable]
        if readable:
            self._verdict.examine("endpoints", len(readable))
            self._verdict.examine("series", sum(watch.span.last.series for watch in readable))
        self._verdict.record(
            endpoints={watch.endpoint.label: _evidence(watch) for watch in self._seen.watches},
            rounds=[{"chats": done.chats, "ends": dict(done.ends)} for done in self._seen.rounds],
        )

    def _judge_drive(self) -> None:
        rounds = self._seen.rounds
        chats, explanations = (sum(getattr(done, what) for done in rounds) for what in (CHATS, EXPLANATIONS))
        self._verdict.examine("chats", chats)
        self._verdict.control(
            "the chats of the probe gave the explainer something to count",
            explanations > 0,
            expected="explanations that complete",
            observed=[dict(done.ends) for done in rounds],
            reason_code="explanations-not-complete",
            reason=f"of {chats} chats no explanation completed, so the explainer's counters were not driven",
            action="See trace_workflow: make explanations complete first.",
        )

    def _judge_service(self, service: Service) -> None:
        usable: list[set[str]] = []
        straddled: set[str] = set()
        for watch in service.replicas:
            if self._judge_answers(watch):
                self._judge_freshness(watch, service)
                expectations = presence.judge_presence(self._verdict, watch.endpoint, watch.span.first, watch.span.last)
                usable.append({expected.name for expected in expectations})
                straddled |= self._judge_families(watch, expectations)
        steady = [watch for watch in service.replicas if watch.readable and not self._restarted(watch)]
        if service.readable:
            self._measure(service)
            if self._driven and len(steady) == len(service.replicas):
                everywhere = set.intersection(*usable)
                self._judge_movement(service, [expected for expected in service.expectations if expected.name in everywhere], straddled)
        for watch in service.replicas:
            if watch.readable:
                self._judge_cardinality(watch, steady=watch in steady)

    def _judge_answers(self, watch: Watch) -> bool:
        """Whether the endpoint answered with expositions; the first of three rules that it broke is named."""
        label, flaw = watch.endpoint.label, watch.flaw
        if watch.fault is not None:
            record = self._verdict.inconclusive if isinstance(watch.fault, CheckInconclusive) else self._verdict.error
            record(watch.fault.reason_code, f"{label}: {watch.fault.reason}", watch.fault.action)
            return False
        if flaw is None and not watch.scrapes:
            return False
        for rule, expected in _FLAWS.items():
            broken = flaw is not None and flaw.rule == rule
            when = " after chats of the probe" if watch.scrapes else ""
            self._verdict.expect(
                f"{label} {rule}",
                not broken,
                expected=expected,
                observed=flaw.observed if flaw is not None and broken else "so in each scrape",
                reason_code=flaw.reason_code if flaw else "",
                reason=f"{label}{when}: {flaw.reason}" if flaw else "",
                action=flaw.action if flaw else "",
            )
            if broken:
                return False
        return True

    def _judge_freshness(self, watch: Watch, service: Service) -> None:
        """Neither a cache nor explicit timestamps show the past, and the exposition changes when the service works."""
        last = watch.span.last
        old = {
            family.name: f"{last.clock - family.oldest:.0f} s old"
            for family in last.families.values()
            if family.oldest is not None and last.clock - family.oldest > MAX_AGE
        }
        if last.age > MAX_AGE:
            old["the answer, by its Age header"] = f"{last.age:.0f} s old"
        if self._driven and self._frozen_whole(watch, service):
            old["the whole exposition"] = "the same, byte for byte, before and after the chats of the probe"
        label = watch.endpoint.label
        self._verdict.expect(
            f"{label} shows the present",
            not old,
            expected=f"samples at most {MAX_AGE:g} s old",
            observed=old or f"{len(watch.scrapes)} fresh scrapes",
            reason_code="scrape-stale",
            reason=f"{label} shows the past: " + "; ".join(f"{what} {how}" for what, how in list(old.items())[:3]),
            action="Scrape the process itself, not a cache or gateway; drop explicit timestamps.",
        )

    def _frozen_whole(self, watch: Watch, service: Service) -> bool:
        there = watch.span.last.families
        counted = [e for e in service.expectations if e.name in there and e.driven and movement.driven(e, self._seen.rounds)]
        same = len({scraped.digest for scraped in watch.scrapes}) == 1
        return same and len(service.replicas) == 1 and len(counted) > 1

    def _judge_families(self, watch: Watch, expectations: list[Expectation]) -> set[str]:
        """Judge the families that are there; returns those whose buckets straddle their objectives."""
        endpoint, last = watch.endpoint, watch.span.last
        straddled = set()
        for expected in expectations:
            family = last.families[expected.name]
            presence.judge_labels(self._verdict, endpoint, expected, family, driven=self._driven and bool(expected.driven))
            presence.judge_values(self._verdict, endpoint, expected, family)
            if presence.judge_buckets(self._verdict, endpoint, expected, family):
                straddled.add(expected.name)
        if endpoint.expectations:
            self._verdict.examine("expected families", len(endpoint.expectations))
        histograms = [family for family in last.families.values() if family.type == "histogram"]
        if histograms:
            broken = [problem for family in histograms for problem in family.inconsistent]
            self._verdict.expect(
                f"the histograms of {endpoint.label} agree with themselves",
                not broken,
                expected="a +Inf bucket that is the count, and none below another",
                observed=broken or f"{len(histograms)} families do",
                reason_code="histogram-inconsistent",
                action="Let one library keep the histogram; look for buckets that are summed or reset apart.",
            )
        return straddled

    def _restarted(self, watch: Watch) -> bool:
        """Whether not one and the same process answered all scrapes, which makes the scrapes incomparable."""
        restarted = len({scraped.process_start for scraped in watch.scrapes}) > 1
        if restarted:
            self._verdict.inconclusive(
                "process-restarted",
                f"{watch.endpoint.label} answered from processes with different start times",
                "Run the check again when the service stays up; if several processes answer under one url, give each an endpoint.",
            )
        return restarted

    def _judge_movement(self, service: Service, expectations: list[Expectation], straddled: set[str]) -> None:
        rounds, spans = self._seen.rounds, service.spans
        names = [expected.name for expected in expectations]
        fallen = {
            name
            for watch in service.replicas
            for name in movement.judge_monotone(self._verdict, watch.endpoint.label, names, watch.scrapes)
        }
        for expected in expectations:
            if expected.driven and expected.name not in fallen and movement.driven(expected, rounds):
                settle = float(self._run.params["settle"])
                counted = movement.judge_movement(self._verdict, service.name, expected, spans, rounds, settle)
                # Buckets in milliseconds explain durations in milliseconds.
                if counted and expected.name in straddled and expected.driven == EXPLANATIONS:
                    movement.judge_durations(self._verdict, service.name, expected, spans, rounds)

    def _judge_cardinality(self, watch: Watch, *, steady: bool) -> None:
        label = watch.endpoint.label
        growing: list[cardinality.Growing] = []
        if self._driven and steady:
            growing = self._seen.growing(watch)
            self._verdict.expect(
                f"no label of {label} grows with requests",
                not growing,
                expected="label values that level off",
                observed=[str(found) for found in growing] or f"{', '.join(str(scraped.series) for scraped in watch.scrapes)} series",
                reason_code="cardinality-grows",
                reason=f"{label}: {'; '.join(map(str, growing[:3]))}",
                action="Take the label off the metric; ids belong into logs, traces and exemplars.",
            )
        subjects = [token.subject for token in self._run.connection.tokens if token.subject]
        told = {(found.family, found.label) for found in growing}
        found = [f for f in cardinality.identifying(watch.span.last, subjects) if (f.family, f.label) not in told]
        self._verdict.expect(
            f"no label of {label} identifies requests or people",
            not found,
            expected="no e-mail address, subject, or set of UUIDs or long hexadecimal numbers",
            observed=[str(place) for place in found] or f"{_labels(watch)} labels",
            reason_code="identifier-label",
            reason=f"{label}: {'; '.join(map(str, found[:3]))}",
            action="Take the label off the metric: it grows with users or requests, and may show personal data to whoever reads metrics.",
        )

    def _measure(self, service: Service) -> None:
        name = service.name.replace("-", "_")
        scrapes = [watch.span.last for watch in service.replicas]
        self._verdict.measure(f"metrics_{name}_series", sum(last.series for last in scrapes))
        self._verdict.measure(f"metrics_{name}_scrape_seconds", round(max(last.seconds for last in scrapes), 4))
        if self._driven:
            gained = sum(watch.scrapes[-1].series - watch.scrapes[-2].series for watch in service.replicas)
            self._verdict.measure(f"metrics_{name}_series_per_chat", round(gained / self._seen.rounds[-1].chats, 3))


def _labels(watch: Watch) -> int:
    return sum(len(family.label_values) for family in watch.span.last.families.values())


def _evidence(watch: Watch) -> dict[str, object]:
    seen: dict[str, object] = {"url": watch.endpoint.url, "scrapes": len(watch.scrapes)}
    if watch.scrapes:
        last = watch.span.last
        seen.update(format=last.form, bytes=last.size, families=len(last.families), series=last.series, seconds=round(last.seconds, 4))
    return seen

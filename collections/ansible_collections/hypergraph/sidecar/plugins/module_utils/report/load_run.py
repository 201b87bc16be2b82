# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a load run measured and how it was judged, as a part's evidence has it: for reading, for tables, and for plotting.

``load`` is what ``load.telling`` tells of a summary. ``judged`` beside it is a list of {class, phase, n, effective_n, exceeding, bound_low,
bound_high, verdict}, perhaps with failing_segments of {from_s, to_s, rate}; bounds are on the share of requests that fail or exceed the
objective. ``comparison`` is one of {class, phase, quantile, before_ms, after_ms, change, low, high}, with the change and its interval as
fractions of ``before_ms``. Both lists may be ``packed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .evidence import known, number, numbers, rows, signed
from .load_phase import BUCKETS, Phase

EVIDENCE, JUDGED, COMPARISON = "load", "judged", "comparison"
WARMUP, RAMP = "warmup", "ramp"
_COUNTS, _LATENCIES = ("count", "exceeding", "errors"), ("p50_ms", "p95_ms")
# So many phases have a latency chart of their own, and so many rows are told at once; of more, the first, the worst and the last phase.
_CHARTS, _ROWS = 4, 24


@dataclass(frozen=True)
class Bound:
    """How a class was judged in a phase: bounds on the share that fails or exceeds, from requests worth so many independent ones.

    ``failing`` has stretches that fail by themselves, whatever the whole does: from and to in seconds since the start, and their share.
    """

    effective_n: float | None
    low: float | None
    high: float | None
    verdict: str
    failing: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Measured:
    """A class of requests in a phase; latencies are in milliseconds, of good answers. ``exceeding`` counts failed and slow ones.

    ``seconds`` is how long the phase lasted, None where the plan does not say. ``curve`` has (quantile, milliseconds).
    """

    name: str
    phase: str
    seconds: float | None
    count: float
    ok: float
    exceeding: float
    errors: Mapping[str, float]
    latency_ms: Mapping[str, float | None]
    intervals_ms: Mapping[str, tuple[float, float] | None]
    curve: tuple[tuple[float, float], ...]
    slo_ms: float | None
    bound: Bound | None

    @property
    def rate(self) -> float | None:
        """Requests that ended, per second."""
        return self.count / self.seconds if self.seconds else None

    @property
    def share(self) -> float | None:
        """The share that failed or exceeded the objective."""
        return self.exceeding / self.count if self.count else None


@dataclass(frozen=True)
class Course:
    """A class over the run, in slots of ``width_s`` seconds; latencies are those of the worst of the ``merged`` slots that each was."""

    name: str
    width_s: float
    merged: int
    starts_s: float
    count: tuple[float, ...]
    exceeding: tuple[float, ...]
    errors: tuple[float, ...]
    p50_ms: tuple[float | None, ...]
    p95_ms: tuple[float | None, ...]
    slo_ms: float | None

    @property
    def ends_s(self) -> float:
        """The end of the last slot."""
        return self.starts_s + self.width_s * len(self.count)

    @property
    def slow(self) -> tuple[float, ...]:
        """Good answers that exceeded the objective."""
        return tuple(max(exceeding - errors, 0) for exceeding, errors in zip(self.exceeding, self.errors))


@dataclass(frozen=True)
class Change:
    """A quantile beside that of another run; ``change`` with its interval is a fraction of what it was.

    ``after_ms`` is None where so many fail that the quantile is of one that did; a bound is None where too few samples left it open.
    """

    name: str
    phase: str
    quantile: float
    before_ms: float
    after_ms: float | None
    change: float | None
    low: float | None
    high: float | None

    @property
    def direction(self) -> str:
        """``failing``, ``slower``, ``faster``, or ``alike`` where the interval has zero in it."""
        if self.after_ms is None:
            return "failing"
        if self.low is not None and self.low > 0:
            return "slower"
        return "faster" if self.high is not None and self.high < 0 else "alike"


@dataclass(frozen=True)
class LoadRun:
    """All of it. ``plan``, ``traces``, ``offered`` and ``generators`` are as in the summary, with None for numbers that were none.

    Where not ``judged_in_full``, what has no bound may have been judged all the same.
    """

    run: Mapping[str, Any]
    plan: Mapping[str, Any]
    quantile: float
    phases: tuple[Phase, ...]
    phases_left_out: int
    measured: tuple[Measured, ...]
    courses: tuple[Course, ...]
    traces: Mapping[str, float]
    offered: Mapping[str, Any]
    generators: tuple[Mapping[str, Any], ...]
    generators_left_out: int
    changes: tuple[Change, ...]
    judged_in_full: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, in order."""
        return tuple(dict.fromkeys(measured.name for measured in self.measured))

    @property
    def charted(self) -> list[list[Measured]]:
        """What to draw latencies of: for each of some phases its classes, without the warm-up where there is anything else."""
        warmups = {phase.name for phase in self.phases if phase.kind == WARMUP}
        phases: dict[str, list[Measured]] = {}
        for measured in self.measured:
            if measured.curve:
                phases.setdefault(measured.phase, []).append(measured)
        if around := self._around_worst_fault():
            return [phases[name] for name in around if name in phases]
        groups = [group for phase, group in phases.items() if phase not in warmups] or list(phases.values())
        if len(groups) <= _CHARTS:
            return groups
        worst = max(groups[1:-1], key=lambda group: max(measured.share or 0 for measured in group))
        return [groups[0], worst, groups[-1]]

    def _around_worst_fault(self) -> list[str]:
        """Of several faults, the phases of the one during which most failed or was slow; nothing where there are no several."""
        faults = {phase.name: phase.fault for phase in self.phases if phase.fault}
        during = {phase.name for phase in self.phases if phase.bucket == 1}
        shares = [(measured.share or 0.0, faults[measured.phase]) for measured in self.measured if measured.phase in faults.keys() & during]
        worst = max(shares, key=lambda item: item[0])[1] if shares else None
        return [name for name, fault in faults.items() if fault == worst]

    @property
    def highlights(self) -> list[Measured]:
        """What to tell first: all that was measured, the warm-up last, or what is drawn of it where that is too much."""
        if len(self.measured) > _ROWS:
            return [measured for group in self.charted for measured in group]
        warmups = {phase.name for phase in self.phases if phase.kind == WARMUP}
        return sorted(self.measured, key=lambda measured: measured.phase in warmups)

    @property
    def buckets(self) -> list[tuple[str, tuple[Measured, Measured, Measured]]]:
        """Each class before, during and after each fault, where phases are so named."""
        places = {phase.name: (phase.fault, phase.bucket) for phase in self.phases}
        seen = {(*places[measured.phase], measured.name): measured for measured in self.measured if measured.phase in places}
        found = []
        for fault in dict.fromkeys(fault for fault, bucket in places.values() if bucket is not None):
            for name in self.names:
                parts = [seen.get((fault, place, name)) for place in range(len(BUCKETS))]
                before, during, after = parts
                if before and during and after:
                    found.append((f"{fault}: {name}" if fault else name, (before, during, after)))
        return found


def load_run(part: Mapping[str, Any]) -> LoadRun | None:
    """The load run in a part's evidence; None where there is none, or where it is not of this shape."""
    evidence = part["evidence"]
    if not isinstance(evidence.get(EVIDENCE), Mapping):
        return None
    try:
        return _load_run(evidence[EVIDENCE], evidence.get(JUDGED, ()), evidence.get(COMPARISON, ()))
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _load_run(told: Mapping[str, Any], judged: Any, comparison: Any) -> LoadRun:
    phases = tuple(Phase.read(phase) for phase in told["phases"])
    duration_s = number(told["run"]["duration_s"])
    seconds = {phase.name: min(phase.duration_s, max(duration_s - phase.starts_s, 0.0)) for phase in phases}
    slo_ms = {str(name): known(limit) for name, limit in told["slo_ms"].items()}
    bounds = {(str(row["class"]), str(row["phase"])): _bound(row) for row in rows(judged)}
    measured = [
        _measured(str(name), str(phase), fields, seconds.get(str(phase)), slo_ms.get(str(name)), bounds.get((str(name), str(phase))))
        for name, by_phase in told["classes"].items()
        for phase, fields in by_phase.items()
    ]
    return LoadRun(
        run={"duration_s": duration_s, "interrupted": told["run"].get("interrupted"), "id": told["run"].get("id")},
        plan=_numbers_or_text(told["plan"]),
        quantile=number(told["quantile"]),
        phases=phases,
        phases_left_out=int(number(told["phases_left_out"])),
        measured=tuple(measured),
        courses=tuple(_course(str(name), series, slo_ms.get(str(name))) for name, series in told["series"].items()),
        traces={str(state): number(count) for state, count in told["traces"].items()},
        offered=_numbers_or_text(told["offered"]),
        generators=tuple(_generator(generator) for generator in told["generators"]),
        generators_left_out=int(number(told["generators_left_out"])),
        changes=tuple(_change(row) for row in rows(comparison)),
        judged_in_full=not any(isinstance(row, str) for row in judged),
    )


def _bound(row: Mapping[str, Any]) -> Bound:
    stretches = [numbers((found["from_s"], found["to_s"], found["rate"])) for found in rows(row.get("failing_segments", ()))]
    failing = tuple((begin, end, rate) for begin, end, rate in stretches)
    return Bound(known(row.get("effective_n")), known(row.get("bound_low")), known(row.get("bound_high")), str(row["verdict"]), failing)


def _measured(
    name: str, phase: str, fields: Mapping[str, Any], seconds: float | None, slo_ms: float | None, bound: Bound | None
) -> Measured:
    count, ok, exceeding = numbers(fields[member] for member in ("count", "ok", "exceeding"))
    return Measured(
        name,
        phase,
        seconds,
        count,
        ok,
        exceeding,
        {str(error): number(times) for error, times in fields["errors"].items()},
        {str(quantile): known(value) for quantile, value in fields["latency_ms"].items()},
        {str(quantile): _interval(ends) for quantile, ends in fields["intervals_ms"].items()},
        tuple(_point(point) for point in fields["curve"]),
        slo_ms,
        bound,
    )


def _interval(ends: Any) -> tuple[float, float] | None:
    if ends is None:
        return None
    low, high = (known(end) for end in ends)
    return None if low is None or high is None else (low, high)


def _point(point: Any) -> tuple[float, float]:
    quantile, latency_ms = numbers(point)
    if quantile >= 1:
        raise ValueError(f"quantile {quantile!r} of a curve")
    return quantile, latency_ms


def _course(name: str, series: Mapping[str, Any], slo_ms: float | None) -> Course:
    columns = {column: [value for row in series[column] for value in row] for column in (*_COUNTS, *_LATENCIES)}
    width_s, starts_s, merged = numbers(series[member] for member in ("width_s", "starts_s", "merged"))
    if not width_s or len(set(map(len, columns.values()))) > 1:
        raise ValueError("a series of no width, or of columns that differ in length")
    count, exceeding, errors = (numbers(columns[column]) for column in _COUNTS)
    p50_ms, p95_ms = (tuple(map(known, columns[column])) for column in _LATENCIES)
    return Course(name, width_s, int(merged), starts_s, count, exceeding, errors, p50_ms, p95_ms, slo_ms)


def _generator(fields: Mapping[str, Any]) -> dict[str, Any]:
    lag = fields["loop_lag_ms"]
    return {
        **{name: str(fields[name]) for name in ("host", "python", "loop", "parser")},
        "cpu_share": known(fields["cpu_share"]),
        "lag_p99_ms": known(lag["p99"]),
        "lag_max_ms": known(lag["max"]),
        "clock_offset_ms": signed(fields["clock_offset_ms"]),
        "clock_uncertainty_ms": known(fields["clock_uncertainty_ms"]),
        "healthy": fields["healthy"] is True,
        "problems": [str(problem) for problem in fields["problems"]],
    }


def _change(row: Mapping[str, Any]) -> Change:
    quantile, before_ms = numbers((row["quantile"], row["before_ms"]))
    change, low, high = (signed(row[name]) for name in ("change", "low", "high"))
    return Change(str(row["class"]), str(row["phase"]), quantile, before_ms, known(row["after_ms"]), change, low, high)


def _numbers_or_text(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Texts as they are, numbers where they are some, mappings of them likewise."""
    read: dict[str, Any] = {}
    for name, value in fields.items():
        read[str(name)] = _numbers_or_text(value) if isinstance(value, Mapping) else value if isinstance(value, str) else known(value)
    return read

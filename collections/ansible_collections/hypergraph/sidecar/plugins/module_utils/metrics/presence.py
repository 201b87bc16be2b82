# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an endpoint exposes the families expected of it: there, of the right type, with the labels and values that queries rely on."""

from __future__ import annotations

import difflib
import math

from ..verdict import Verdict
from . import histograms
from .expectations import Endpoint, Expectation
from .scrape import Family, Scrape

_SAME_TYPE = {"untyped": "unknown", "unknown": "unknown"}


def judge_presence(verdict: Verdict, endpoint: Endpoint, first: Scrape, last: Scrape) -> list[Expectation]:
    """Judge presence and type; return the expectations that can be examined further."""
    usable = []
    for expected in endpoint.expectations:
        family = last.families.get(expected.name)
        verdict.expect(
            f"{endpoint.label} exposes {expected.name}",
            family is not None,
            expected=expected.type,
            observed=family.type if family else "no such family",
            reason_code="family-missing",
            reason=f"{endpoint.label} does not expose {expected.name}{_hint(expected.name, first, last)}",
            action="Export the family, from the start and at zero, under the name that dashboards and alerts query.",
        )
        if family is None:
            continue
        same = _SAME_TYPE.get(family.type, family.type) == _SAME_TYPE.get(expected.type, expected.type)
        verdict.expect(
            f"{expected.name} of {endpoint.label} is a {expected.type}",
            same,
            expected=expected.type,
            observed=family.type,
            reason_code="family-wrong-type",
            action="Declare the type that it behaves as: rate() wants a counter, histogram_quantile() a histogram.",
        )
        if same:
            usable.append(expected)
    return usable


def _hint(name: str, first: Scrape, last: Scrape) -> str:
    if name in first.families:
        return ": it was there before the chats of the probe and is gone after them"
    near = difflib.get_close_matches(name, last.families, 1)
    return f"; the nearest name it exposes is {near[0]}" if near else ""


def judge_labels(verdict: Verdict, endpoint: Endpoint, expected: Expectation, family: Family, *, driven: bool) -> None:
    """Judge that the labels exist, and where nothing drives the family, that the listed values are among theirs.

    A family without any series has no labels to look at, which for a gauge is a finding of its own. Of a driven one the movement of each
    listed value is judged instead.
    """
    if not expected.labels:
        return
    if not family.series:
        if expected.type != "gauge":
            verdict.skip(
                "not_applicable",
                f"the labels of {expected.name}, since {endpoint.label} has no series of it yet",
                "Initialise its series at zero: rate() does not see the step from absent to one.",
            )
        return
    lacking = sorted(set(expected.labels) - set(family.label_values))
    verdict.expect(
        f"{expected.name} of {endpoint.label} has label {', '.join(expected.labels)}",
        not lacking,
        expected=sorted(expected.labels),
        observed=sorted(family.label_values),
        reason_code="label-missing",
        action="Add the label: queries by it find nothing.",
    )
    if driven:
        return
    for label, values in expected.labels.items():
        if values and label not in lacking:
            seen = family.label_values[label]
            verdict.expect(
                f"{expected.name} of {endpoint.label} has {label} {', '.join(values)}",
                seen.issuperset(values),
                expected=sorted(values),
                observed=sorted(seen),
                reason_code="label-value-missing",
                action="Find out why this was never counted, and initialise the series at zero.",
            )


def judge_values(verdict: Verdict, endpoint: Endpoint, expected: Expectation, family: Family) -> None:
    """Judge that a gauge shows a value, and where they are listed, only those that it may.

    What counts may have had nothing to count yet. A gauge always has something to show: alerts and scalers that compare it with a threshold
    take an absent one, and one that is NaN, for all being well.
    """
    if expected.type != "gauge":
        return
    values = [float(sample.value) for sample in family.samples]
    shown = verdict.expect(
        f"{expected.name} of {endpoint.label} shows a value",
        any(not math.isnan(value) for value in values),
        expected="a sample that is a number",
        observed=values or "no sample",
        reason_code="value-missing",
        action="Set the gauge when the service starts: an absent gauge alerts nobody, and scales nothing.",
    )
    if not shown or not expected.values:
        return
    strange = sorted(set(values) - set(expected.values))
    verdict.expect(
        f"{expected.name} of {endpoint.label} shows one of its values",
        not strange,
        expected=list(expected.values),
        observed=strange or sorted(set(values)),
        reason_code="value-out-of-range",
        action="Correct what sets the gauge, or the values expected of it.",
    )


def judge_buckets(verdict: Verdict, endpoint: Endpoint, expected: Expectation, family: Family) -> bool:
    """Judge that the buckets straddle each objective, and return whether they do, or none was asked for.

    A histogram that nothing was observed in may show no buckets yet.
    """
    if not expected.objectives:
        return True
    if not family.samples:
        verdict.skip(
            "not_applicable",
            f"the buckets of {expected.name}, since {endpoint.label} has observed nothing in it yet",
            "Run the check with a token, so that its chats give the histogram something to observe.",
        )
        return False
    known = histograms.bounds(family.samples)
    missed = histograms.missed(expected.objectives, known)
    return verdict.expect(
        f"the buckets of {expected.name} of {endpoint.label} straddle {', '.join(f'{slo:g} s' for slo in expected.objectives)}",
        not missed,
        expected=f"a bound at most {histograms.STRADDLE:g} times below, and one at most {histograms.STRADDLE:g} times above each objective",
        observed={"bounds": known, "missed": missed},
        reason_code="bucket-misses-slo",
        reason=f"{expected.name} of {endpoint.label} cannot show {', '.join(f'{slo:g} s' for slo in missed)}: its buckets are "
        + (f"{', '.join(f'{bound:g}' for bound in known)}" if known else "none"),
        action="Add buckets at the objectives, in seconds; a histogram in milliseconds needs another unit, not other buckets.",
    )

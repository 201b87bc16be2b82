# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One reading of a metrics endpoint, reduced to what the rules need, so that a large exposition is not held in memory three times."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..faults import CheckError, CheckInconclusive
from ..http_client import Answer, Client
from ..redaction import excerpt
from . import exposition
from .exposition import InvalidExposition
from .histograms import inconsistencies

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from prometheus_client.samples import Sample

PROCESS_START = "process_start_time_seconds"

_ABSENT = frozenset({404, 405, 410, 501})
_REFUSED = frozenset({401, 403, 407})


class Flaw(Exception):
    """The endpoint answered, and the answer is not an exposition. ``rule`` is one of SERVED, TYPED and VALID."""

    def __init__(self, rule: str, *, reason_code: str, observed: str, reason: str, action: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason_code = reason_code
        self.observed = observed
        self.reason = reason
        self.action = action


SERVED = "answers with 200"
TYPED = "answers with the content type of an exposition"
VALID = "serves an exposition that parses"


@dataclass
class Family:
    """A metric family: its exposed name and type, how many series it has, and the values each label has in them.

    ``samples`` are kept only where a rule reads them, ``inconsistent`` says which histograms contradict themselves, ``oldest`` is the
    smallest explicit timestamp in seconds since 1970, where there is one.
    """

    name: str
    type: str
    series: int = 0
    label_values: dict[str, set[str]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    inconsistent: list[str] = field(default_factory=list)
    oldest: float | None = None

    def add(self, metric: Metric, *, keep: bool) -> None:
        """Take in a piece of the family as parsed."""
        self.series += len(metric.samples)
        for sample in metric.samples:
            for label, value in sample.labels.items():
                self.label_values.setdefault(label, set()).add(value)
            if sample.timestamp is not None:
                moment = float(sample.timestamp)
                self.oldest = moment if self.oldest is None else min(self.oldest, moment)
        if metric.type == "histogram":
            self.inconsistent += inconsistencies(metric)
        if keep:
            self.samples += metric.samples


@dataclass(frozen=True)
class Scrape:
    """What an endpoint exposed at one moment. ``clock`` is its own time then, if it told, else ours; ``age`` how long a cache held it."""

    families: Mapping[str, Family]
    form: str
    size: int
    digest: str
    seconds: float
    clock: float
    age: float

    @property
    def series(self) -> int:
        """The number of series of all families."""
        return sum(family.series for family in self.families.values())

    @property
    def process_start(self) -> float | None:
        """When the process that answered was started, if it says so."""
        family = self.families.get(PROCESS_START)
        return float(family.samples[0].value) if family and family.samples else None


def scrape(client: Client, url: str, keep: Collection[str], max_bytes: int) -> Scrape:
    """Read an endpoint once, keeping the samples of the families named.

    Raises Flaw where what it answers is no exposition; CheckError where it cannot be reached or read, or asks for credentials; and
    CheckInconclusive for a version of OpenMetrics that is not understood.
    """
    answer = client.get(url, headers={"Accept": exposition.ACCEPT}, max_body=max_bytes)
    form = _form(answer)
    families: dict[str, Family] = {}
    try:
        for name, metric in exposition.parse(answer.body, form):
            families.setdefault(name, Family(name, metric.type)).add(metric, keep=name in keep or name == PROCESS_START)
    except InvalidExposition as problem:
        raise Flaw(
            VALID,
            reason_code="exposition-invalid",
            observed=str(problem),
            reason=f"GET {url} is not valid {form}: {problem}",
            action="Correct what exposes this line; Prometheus drops the whole scrape, or what follows the line.",
        ) from None
    return Scrape(
        families,
        form,
        len(answer.body),
        hashlib.sha256(answer.body).hexdigest(),
        answer.elapsed,
        answer.date.timestamp() if answer.date else time.time(),
        _age(answer),
    )


def _form(answer: Answer) -> str:
    """The format of the answer's exposition; raises as ``scrape`` does."""
    where = f"GET {answer.url} answered {answer.status}"
    if answer.status in _REFUSED:
        raise CheckError("metrics-refused", where, "Let the host that runs the check read the metrics without credentials.")
    if answer.status in _ABSENT:
        raise Flaw(
            SERVED,
            reason_code="metrics-absent",
            observed=str(answer.status),
            reason=f"{where}: the service is there, its metrics are not",
            action="Turn the metrics on (ENABLE_OTEL=1), or correct the endpoint's url.",
        )
    if answer.status != 200:
        where += f" redirecting to {answer.headers.get('location', 'nowhere')} (not followed)" if 300 <= answer.status < 400 else ""
        raise Flaw(
            SERVED,
            reason_code="metrics-unavailable",
            observed=str(answer.status),
            reason=where,
            action="Find out why the endpoint does not answer with its metrics.",
        )
    told = answer.headers.get("content-type", "")
    form = exposition.format_of(told)
    if form is None and answer.content_type == "application/openmetrics-text":
        raise CheckInconclusive("exposition-unsupported", f"{where} with {told}", "Serve OpenMetrics 1.0.0 to whom asks for it.")
    if form is None:
        raise Flaw(
            TYPED,
            reason_code="metrics-wrong-content-type",
            observed=told or "none",
            reason=f"{where} with {told or 'no content type'}; it begins {excerpt(answer.text, 60)!r}",
            action="Point the endpoint's url at the metrics themselves, and serve them as text/plain; version=0.0.4 or as OpenMetrics.",
        )
    return form


def _age(answer: Answer) -> float:
    told = answer.headers.get("age", "")
    return float(told) if told.isdigit() else 0.0

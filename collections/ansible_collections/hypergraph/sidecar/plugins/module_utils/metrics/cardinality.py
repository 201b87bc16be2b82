# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cardinality, as a slope: how many label values each request adds; and label values that tell one request or person from all others.

A snapshot says little: a family of a thousand series may be bounded, one of ten may gain a series with each request. So the label values
that appear while N chats run are compared with those that appear during 2 N more, and where that looks like growth, during 4 N more again.
A bounded label levels off once its values were seen for the first time, an unbounded one does not. Of labels with 16 values that the
requests pick at random, two intervals alone would accuse one in five; three accuse none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .scrape import Family, Scrape

# New values a request from which on a label that does not level off counts as growing. An id of each request is 1.
STEEP = 0.4
# The part of the first slope that every later one keeps where the label does not level off.
LEVEL = 0.8
# So many values of identifier shape make a label of identifiers; one or two may be the service's own name for itself.
ALIKE = 3
# A shorter id of the probe, such as a running number, may be part of a label value by chance.
TELLING = 8
FAMILY_NAME = "__name__"

_OUTSIDE = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_SHAPES = {
    "UUIDs": re.compile(rf"(?i){_OUTSIDE[0]}[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}{_OUTSIDE[1]}"),
    "long hexadecimal numbers": re.compile(rf"(?i){_OUTSIDE[0]}(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{{16,}}{_OUTSIDE[1]}"),
}
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")


@dataclass(frozen=True)
class Growing:
    """A label that gains values with requests: how many a request in the last interval, and whether ids of the probe are among them."""

    family: str
    label: str
    rate: float
    ours: bool

    def __str__(self) -> str:
        where = "the family name itself" if self.label == FAMILY_NAME else f"label {self.label} of {self.family}"
        return f"{where}: {self.rate:.1f} new values a request" + (", ids of the probe among them" if self.ours else "")


def growing(scrapes: Sequence[Scrape], chats: Sequence[int], identifiers: Collection[str]) -> list[Growing]:
    """Labels that grow with requests: those whose new values do not level off, and those that show an id the probe's requests brought.

    ``scrapes`` were taken before the first and after each interval of so many ``chats``, of which there are at least two.
    """
    ours = re.compile("|".join(re.escape(known) for known in identifiers if len(known) >= TELLING) or "(?!)")
    moments = [_label_values(scrape.families) for scrape in scrapes]
    found = []
    for place in moments[-1]:
        before = moments[0].get(place, set())
        known, slopes = set(before), []
        for moment, sent in zip(moments[1:], chats):
            new = moment.get(place, set()) - known
            slopes.append(len(new) / sent)
            known |= new
        shows_ours = any(ours.search(value) for value in known - before)
        if shows_ours or (slopes[0] > 0 and min(slopes[1:]) >= max(STEEP, LEVEL * slopes[0])):
            found.append(Growing(*place, slopes[-1], shows_ours))
    return found


def _label_values(families: Mapping[str, Family]) -> dict[tuple[str, str], set[str]]:
    values = {(family.name, label): values for family in families.values() for label, values in family.label_values.items()}
    return {**values, ("", FAMILY_NAME): set(families)}


@dataclass(frozen=True)
class Identifying:
    """A label whose values look like identifiers of requests or people. Says of which kind, never which."""

    family: str
    label: str
    kind: str
    count: int

    def __str__(self) -> str:
        return f"label {self.label} of {self.family}: {self.count} values with {self.kind}"


def identifying(scrape: Scrape, subjects: Collection[str]) -> list[Identifying]:
    """Labels that hold e-mail addresses, subjects of the probe's tokens, or several values that are UUIDs or long hexadecimal numbers.

    Families named ``…_info`` may hold the latter: they describe a build or a process.
    """
    found = []
    for family in scrape.families.values():
        describes_process = family.type == "info" or family.name.endswith("_info")
        for label, values in family.label_values.items():
            counts = {"e-mail addresses": sum(bool(_EMAIL.search(value)) for value in values), "subjects": len(values & set(subjects))}
            for kind, shape in _SHAPES.items():
                alike = 0 if describes_process else sum(bool(shape.search(value)) for value in values)
                counts[kind] = alike if alike >= ALIKE else 0
            found += [Identifying(family.name, label, kind, count) for kind, count in counts.items() if count]
    return found

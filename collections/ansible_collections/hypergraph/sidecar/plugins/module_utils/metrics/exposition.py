# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict parsing of expositions: Prometheus text 0.0.4 and OpenMetrics 1.0, told apart by content type, never by guessing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO, cast

from ..faults import CheckError
from ..redaction import excerpt
from .text_format import TextRules

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

TEXT = "Prometheus text 0.0.4"
OPENMETRICS = "OpenMetrics 1.0"
# What Prometheus itself asks for, so that the check reads what Prometheus would be given.
ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
# The parser's time grows with the square of a line's labels. No exporter comes near this length.
MAX_LINE = 65_536

_VERSION = re.compile(r"""(?i);\s*version\s*=\s*"?([^\s";,]*)""")
_FORMATS = {
    "text/plain": (TEXT, ("", "0.0.4", "1.0.0")),
    "application/openmetrics-text": (OPENMETRICS, ("", "0.0.1", "1.0.0")),
}


class InvalidExposition(ValueError):
    """The text is not of its format. Says the line and what is wrong with it."""


def format_of(content_type: str) -> str | None:
    """TEXT or OPENMETRICS by a Content-Type header; None for any other media type or version."""
    media_type = content_type.split(";")[0].strip().lower()
    form, versions = _FORMATS.get(media_type, ("", ()))
    found = _VERSION.search(content_type)
    return form if (found.group(1) if found else "") in versions else None


def parse(body: bytes, form: str) -> Iterator[tuple[str, Metric]]:
    """Yield each family with the name it is exposed under, which for a counter of OpenMetrics ends in ``_total``.

    A family of text 0.0.4 without TYPE comes in as many pieces as it has samples. Raises InvalidExposition, possibly after families that
    are in order, and CheckError for a line too long to be read.
    """
    from prometheus_client.openmetrics.parser import text_fd_to_metric_families as read_openmetrics
    from prometheus_client.parser import text_fd_to_metric_families as read_text

    lines = _Lines(_decoded(body), TextRules() if form == TEXT else None)
    read = read_openmetrics if form == OPENMETRICS else read_text
    try:
        # The parsers take a text file and do no more with it than iterate.
        for metric in read(cast(TextIO, lines)):
            yield _exposed_name(metric, lines.rules), metric
    except InvalidExposition:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as problem:
        # The parser raises without a message, or stumbles, where a line is none of those it knows.
        said = " ".join(str(problem).split()) if isinstance(problem, ValueError) else ""
        raise InvalidExposition(f"line {lines.number}: {said or 'not understood'}; it reads {lines.shown!r}") from None


class _Lines:
    """The lines of an exposition as a parser reads them, which remembers how far it came."""

    def __init__(self, text: str, rules: TextRules | None) -> None:
        self._text = text
        self.rules = rules
        self.number = 0
        self.line = ""

    @property
    def shown(self) -> str:
        """The line at hand, as far as a reader wants to see it."""
        return excerpt(self.line.rstrip("\n"), 120)

    def __iter__(self) -> Iterator[str]:
        for line in io.StringIO(self._text):
            self.line = line
            self.number += 1
            if len(self.line) > MAX_LINE:
                raise CheckError(
                    "exposition-line-too-long",
                    f"line {self.number} of the exposition has {len(self.line)} characters, the check reads at most {MAX_LINE}",
                    "Shorten the help text or label value that makes it so long.",
                )
            if self.rules is not None:
                self._check(self.rules)
            yield self.line

    def _check(self, rules: TextRules) -> None:
        try:
            rules.check(self.line)
        except ValueError as problem:
            raise InvalidExposition(f"line {self.number}: {problem}; it reads {self.shown!r}") from None
        if not self.line.endswith("\n"):
            raise InvalidExposition(f"line {self.number}, the last one, does not end in a newline: the exposition is cut off")


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = body.count(b"\n", 0, problem.start) + 1
        raise InvalidExposition(f"line {line}: byte {body[problem.start]:#04x} is not UTF-8") from None


def _exposed_name(metric: Metric, rules: TextRules | None) -> str:
    """The parser drops ``_total`` from the names of counters, and adds it to samples of text 0.0.4 that lack it."""
    if metric.type != "counter" or (rules is not None and f"{metric.name}_total" not in rules.declared):
        return str(metric.name)
    return f"{metric.name}_total"

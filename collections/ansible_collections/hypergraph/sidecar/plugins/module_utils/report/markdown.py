# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as Markdown. Every value the template prints is escaped unless a filter here has made it Markdown already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import capacity, charts, load_words, soak_words, view
from .deltas import deltas
from .headline import label
from .load_run import load_run
from .soak_run import soak_run

TEMPLATE = "report.md.j2"

# What begins emphasis, code, a link, a tag, an entity, a table cell or a formula in CommonMark and GitHub's dialect of it.
_SPECIAL = re.compile(r"([\\`*\[\]<>|&~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
# What begins a list, a heading or an underline when it comes first.
_BLOCK_START = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[-+=#]))(.)")


class Markdown(str):
    """Text that is Markdown by intention and is printed as it is."""

    __slots__ = ()


def render(report: Mapping[str, Any], templates: Path) -> str:
    """The document."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 (HTML's escaping is not Markdown's; finalize escapes everything instead)
        loader=FileSystemLoader(templates), finalize=_escaped, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        label=label,
        duration=view.duration,
        number=view.number,
        moment=view.moment,
        percent=capacity.percent,
        **load_words.FILTERS,
        **soak_words.FILTERS,
        glyph=charts.GLYPHS.__getitem__,
        code=code,
        pretty=view.pretty,
        block=block,
    )
    environment.globals["marks"] = charts.GLYPHS
    environment.globals.update(
        rows=view.rows,
        records=view.records,
        grid=view.grid,
        other_evidence=view.other_evidence,
        sizings=capacity.sizings,
        load=load_run,
        soak=soak_run,
        deltas=lambda check: deltas(check, report["history"]),
    )
    return environment.get_template(TEMPLATE).render(report=report, checks=view.by_urgency(report["checks"]))


def escaped(text: str) -> Markdown:
    """The text as one line that Markdown shows as it is, also inside a table."""
    line = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return Markdown(_BLOCK_START.sub(r"\1\\\2", line))


def code(value: Any) -> Markdown:
    """A value as a code span; JSON where it is not a text. Not for tables, where a pipe would end it."""
    text = " ".join((value if isinstance(value, str) else view.compact(value)).split())
    if not text:
        return Markdown("")
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return Markdown(f"{ticks}{pad}{text}{pad}{ticks}")


def block(text: str, language: str) -> Markdown:
    """The text as it is, between fences longer than any run of backticks in it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return Markdown(f"{fence}{language}\n{text}\n{fence}")


def _escaped(value: Any) -> Markdown:
    return value if isinstance(value, Markdown) else escaped(str(value))


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)

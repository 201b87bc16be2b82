# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change-management document: does it say, in sections of their own, how decisions are recorded and when changes rest.

A section counts by its heading and by holding words under it. A word in passing, the document's title, a heading over nothing and one over
a placeholder do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

ADR = re.compile(r"(?i)\badrs?\b|\barchitectur(e|al) decisions?\b")
FREEZE = re.compile(r"(?i)\bfreezes?\b")

_ATX = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(---|\.\.\.)[ \t]*(\n|\Z)", re.DOTALL)
_NO_WORD = re.compile(r"[\W_]+")
_PLACEHOLDER = re.compile(
    r"(?i)(to ?do|tbd|tba|fixme|to be (done|defined|written|decided|determined)|coming soon|n ?a|none|lorem ipsum.*)?"
)


@dataclass
class Section:
    """A heading and the lines under it, those under its subheadings included."""

    level: int
    heading: str
    lines: list[str] = field(default_factory=list)

    @property
    def says_something(self) -> bool:
        """Whether a line under the heading is more than punctuation or a placeholder."""
        return any(not _PLACEHOLDER.fullmatch(_NO_WORD.sub(" ", line).strip()) for line in self.lines)


def sections(markdown: str) -> list[Section]:
    """The sections of a CommonMark text, ATX and setext headings; fenced code is content, never a heading."""
    found: list[Section] = []
    around: list[Section] = []
    for level, text in _lines(markdown):
        if level:
            around = [section for section in around if section.level < level]
            around.append(Section(level, text))
            found.append(around[-1])
        else:
            for section in around:
                section.lines.append(text)
    return found


def has_section(found: list[Section], topic: re.Pattern[str]) -> bool:
    """Whether a section other than the document's title is headed by the topic and says something."""
    top = [section for section in found if section.level == 1]
    title = top[0] if len(top) == 1 and len(found) > 1 else None
    return any(section is not title and topic.search(section.heading) and section.says_something for section in found)


def _lines(markdown: str) -> Iterator[tuple[int, str]]:
    """Each line as heading level and text; level 0 is content."""
    text = _FRONT_MATTER.sub("", markdown.lstrip("\ufeff").replace("\r\n", "\n"))
    lines = _COMMENT.sub("", text).split("\n")
    fence = ""
    held: str | None = None
    for line in [*lines, ""]:
        # A line is held back until the next one tells whether it was underlined, and so a heading.
        if held is not None and _SETEXT.fullmatch(line):
            yield (1 if "=" in line else 2), held.strip()
            held = None
            continue
        if held is not None:
            yield 0, held
            held = None
        mark = _FENCE.match(line)
        atx = _ATX.match(line)
        if fence:
            fence = "" if mark is not None and mark[1].startswith(fence) else fence
            yield 0, "" if not fence else line
        elif mark is not None:
            fence = mark[1]
        elif atx is not None:
            yield len(atx[1]), line[atx.end() :].strip().rstrip("#").strip()
        elif line.strip() and not line.lstrip().startswith(("- ", "* ", ">", "|")):
            held = line
        else:
            yield 0, line

"""Defects of the published documents: what is changed in the copies that a lab publishes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.defects import Defects

_QUEUE_ROUTE = """\
  /admin/queue:
    get:
      operationId: getQueue
      tags: [about]
      summary: How much waits.
      responses:
        "200":
          description: The backlog.
          content:
            application/json:
              schema:
                type: object
        "401":
          $ref: "#/components/responses/Unauthenticated"
        "404":
          $ref: "#/components/responses/NotFound"
"""
_PRIORITY = """\
        priority:
          description: How urgent the explanation was.
          type: string
"""
_TRACE_DEGRADED = "        degraded:\n"
_TRACE_MODEL = """\
        granularity:
          $ref: "#/components/schemas/Granularity"
        model:
          type: string
        created_at:
          $ref: "#/components/schemas/Timestamp"
        queued_at:
"""


@dataclass(frozen=True)
class _Edit:
    """A change of one published document."""

    artifact: str
    change: Callable[[str], str]


def _replaced(old: str, new: str) -> Callable[[str], str]:
    """Replace what occurs exactly once."""

    def change(text: str) -> str:
        if text.count(old) != 1:
            raise ValueError(f"expected once, found {text.count(old)} times: {old!r}")
        return text.replace(old, new)

    return change


def _without_sections(topic: str) -> Callable[[str], str]:
    """Drop every section whose heading names the topic, with its subsections, from Markdown with ATX headings."""

    def change(text: str) -> str:
        kept: list[str] = []
        dropping = 0
        for line in text.splitlines(keepends=True):
            if heading := re.match(r"(#{1,6}) (.*)", line):
                level = len(heading[1])
                if not dropping or level <= dropping:
                    dropping = level if re.search(topic, heading[2], re.IGNORECASE) else 0
            if not dropping:
                kept.append(line)
        return "".join(kept)

    return change


_EDITS: Mapping[str, tuple[_Edit, ...]] = {
    "path-unversioned": (_Edit("openapi", _replaced("\ncomponents:\n", f"\n{_QUEUE_ROUTE}components:\n")),),
    "spec-invalid": (_Edit("openapi", _replaced("operationId: getOpenapi\n", "operationId: listModels\n")),),
    "response-field-removed": (
        _Edit("openapi", _replaced(_TRACE_MODEL, _TRACE_MODEL.replace("        model:\n          type: string\n", ""))),
        _Edit("openapi", _replaced("state, granularity, model, created_at,", "state, granularity, created_at,")),
    ),
    "benign-optional-field": (_Edit("openapi", _replaced(_TRACE_DEGRADED, _PRIORITY + _TRACE_DEGRADED)),),
    "change-doc-without-adr": (_Edit("change_management", _without_sections(r"\badrs?\b|architectur\w* decision|decision record")),),
    "change-doc-without-freeze": (_Edit("change_management", _without_sections(r"\bfreez")),),
}


def publish_artifacts(texts: Mapping[str, str], defects: Defects) -> dict[str, str]:
    """The documents as the active defects have them. Raises ValueError where a defect finds nothing to change."""
    edited = dict(texts)
    for defect, edits in _EDITS.items():
        if defects.active(defect):
            for edit in edits:
                before = edited[edit.artifact]
                edited[edit.artifact] = edit.change(before)
                if edited[edit.artifact] == before:
                    raise ValueError(f"defect {defect} changes nothing in {edit.artifact}")
            defects.applied(defect)
    return edited

"""Defects of the published documents: what is changed in the copies that a lab publishes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from lab.defects import Defects, load_catalog

CHANGE_MANAGEMENT = "change-management.md"


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


# Changes that no replacement of a text can tell.
_CHANGES: Mapping[str, Callable[[str], str]] = {
    "change-doc-without-adr": _without_sections(r"\badrs?\b|architectur\w* decision|decision record"),
    "change-doc-without-freeze": _without_sections(r"\bfreez"),
}


def publish_artifacts(texts: Mapping[str, str], defects: Defects) -> dict[str, str]:
    """The documents, by their path below ``lab/``, as the active defects have them.

    Raises ValueError where a defect finds nothing to change, or more than one place.
    """
    edited = dict(texts)
    for defect in load_catalog().values() if defects else ():
        if defects.active(defect.id) and (defect.edits or defect.id in _CHANGES):
            for edit in defect.edits:
                edited[edit.file] = edit.made_in(edited[edit.file])
            if change := _CHANGES.get(defect.id):
                edited[CHANGE_MANAGEMENT] = change(edited[CHANGE_MANAGEMENT])
            if edited == dict(texts):
                raise ValueError(f"defect {defect.id} changes nothing")
            defects.applied(defect.id)
    return edited

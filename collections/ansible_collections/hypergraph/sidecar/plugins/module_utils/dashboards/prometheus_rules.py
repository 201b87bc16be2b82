# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries of Prometheus rules: plain rule files, and PrometheusRule objects of the Prometheus Operator.

Format: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from ..faults import CheckError
from ..manifests.documents import read_documents
from ..manifests.objects import Object, Path, Place, mapping, sequence
from .queries import ALERT, RECORDING, Query, query

KIND = "PrometheusRule"


@dataclass(frozen=True)
class RuleEntry:
    """One entry of a group: its query, or why Prometheus would refuse to load it. ``body`` is as written."""

    name: str
    body: Mapping[str, Any]
    place: Place
    path: Path
    problem: str = ""
    query: Query | None = None

    @property
    def is_alert(self) -> bool:
        """Whether it alerts; a recording rule otherwise."""
        return "alert" in self.body


def read_rules(paths: Iterable[str]) -> tuple[RuleEntry, ...]:
    """All rules of the files and directories. Raises CheckError where there is none, or a named file is no rule file."""
    found: list[RuleEntry] = []
    for path in paths:
        groups = 0
        for one in read_documents([path]):
            entries = rules_of(one)
            if entries is None and not FilePath(path).is_dir():
                reason = f"{one.place} is no rule file: expected groups, or a {KIND}"
                raise CheckError("rules-invalid", reason, "Name rule files in sidecar_rules_paths.")
            groups += entries is not None
            found += entries or ()
        if not groups:
            raise CheckError("rules-invalid", f"{path} holds no rules: expected groups, or a {KIND}", "Correct sidecar_rules_paths.")
    return tuple(found)


def rules_of(one: Object) -> tuple[RuleEntry, ...] | None:
    """The rules of an object; None where it is neither a rule file nor a PrometheusRule."""
    if one.kind == KIND:
        return tuple(_entries(one, ("spec", "groups")))
    return tuple(_entries(one, ("groups",))) if "groups" in one.body and not one.kind else None


def _entries(one: Object, groups: Path) -> Iterator[RuleEntry]:
    for group_position, group in enumerate(sequence(one.at(*groups))):
        for position, body in enumerate(sequence(mapping(group).get("rules"))):
            path = (*groups, group_position, "rules", position)
            yield _entry(one, mapping(body), path)


def _entry(one: Object, body: Mapping[str, Any], path: Path) -> RuleEntry:
    name, expression = body.get("alert") or body.get("record"), body.get("expr")
    place = one.place_of(path)
    if ("alert" in body) == ("record" in body) or not isinstance(name, str):
        said = "neither a text as alert nor one as record" if not name else "both alert and record, or a name that is no text"
        return RuleEntry(str(name or f"{path[-3]}.{path[-1]}"), body, place, path, said)
    # A number is a query too, and YAML reads it as one.
    text = str(expression) if isinstance(expression, (int, float)) and not isinstance(expression, bool) else expression
    if not isinstance(text, str) or not text.strip():
        return RuleEntry(name, body, place, path, "no query as expr")
    templates = {f"annotation {key}": str(value) for key, value in mapping(body.get("annotations")).items()}
    asked = query(
        ALERT if "alert" in body else RECORDING,
        name,
        text,
        one.place_of((*path, "expr")),
        (*path, "expr"),
        records=name if "record" in body else "",
        extra_labels=mapping(body.get("labels")),
        templates=templates if "alert" in body else {},
    )
    return RuleEntry(name, body, place, path, "", asked)

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the artifacts: the specification by itself and against the last release, and the change-management document."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..examination import Examination
from . import change_document, document
from .compare import RULES, compare, major
from .operations import operations
from .places import Located
from .rules import incomplete, unversioned
from .shapes import TooLarge
from .validity import NotValidated, invalidities

_SHOWN = 20


def load_specification(run: Examination) -> dict[str, Any] | None:
    """The document at ``spec_path``, or None where there is none to examine, which the verdict then explains."""
    path = run.params["spec_path"]
    if not path:
        run.verdict.skip(
            "disabled_by_config",
            "a specification file, since spec_path is not set",
            "Set spec_path to the OpenAPI document of the release.",
        )
        return None
    problem = ""
    loaded = None
    try:
        loaded = document.parse(document.read(path), is_json=path.endswith(".json"))
    except OSError as fault:
        run.verdict.error("file-unreadable", f"spec_path {path}: {fault.strerror}", "Correct the path, or the rights of the file.")
        return None
    except ValueError as fault:
        problem = str(fault)
    run.verdict.expect(
        "the specification loads safely",
        loaded is not None,
        expected=f"one YAML or JSON object of at most {document.MAX_BYTES} bytes",
        observed=problem or "loaded",
        reason_code="spec-unreadable",
        reason=f"{path}: {problem}",
        action="Correct the file where the reason points.",
    )
    return loaded


def judge_specification(run: Examination, specification: Mapping[str, Any]) -> bool:
    """Judge validity, versions, completeness and compatible change. Whether it is valid, so that answers can be held against it."""
    found = list(operations(specification))
    run.verdict.examine("paths", len({operation.path for operation in found}))
    run.verdict.examine("operations", len(found))
    if not _judge_validity(run, specification):
        run.verdict.skip(
            "not_applicable",
            "versions, completeness, compatible change and live answers, since the specification is not known to be valid",
            "Make the specification valid first.",
        )
        return False
    _judge_versions(run, specification)
    _judge_completeness(run, specification)
    _judge_compatibility(run, specification)
    return True


def _judge_validity(run: Examination, specification: Mapping[str, Any]) -> bool:
    try:
        problems = invalidities(specification)
    except NotValidated as fault:
        run.verdict.error(fault.reason_code, fault.reason, fault.action)
        return False
    except ModuleNotFoundError as missing:
        run.verdict.skip(
            "dependency_missing",
            f"validity of the specification, since the Python library {missing.name} is not installed where the check runs",
            "Install the collection's requirements.txt there.",
        )
        return False
    return run.verdict.expect(
        "the specification is valid OpenAPI",
        not problems,
        expected="no finding of openapi-spec-validator",
        observed=[str(problem) for problem in problems],
        reason_code="spec-invalid",
        reason=f"the specification is not valid OpenAPI: {problems[0]}" if problems else "",
        action="Correct the document at the pointers named.",
    )


def _judge_versions(run: Examination, specification: Mapping[str, Any]) -> None:
    stray = unversioned(specification, tuple(run.params["unversioned_paths"]))
    run.verdict.expect(
        "every documented path carries its version",
        not stray,
        expected="/v1/… with the servers' base path counted in",
        observed=stray,
        reason_code="path-not-versioned",
        reason=f"{len(stray)} documented path(s) outside a version: {', '.join(stray[:_SHOWN])}",
        action="Move them under /v1, or list them in unversioned_paths where they are no part of the API.",
    )


def _judge_completeness(run: Examination, specification: Mapping[str, Any]) -> None:
    lacks = incomplete(specification)
    run.verdict.expect(
        "every operation is documented whole",
        not lacks,
        expected="an operationId, a declared security requirement and an error answer each",
        observed=lacks,
        reason_code="spec-incomplete",
        reason=f"{len(lacks)} gap(s) in the documentation of operations: {'; '.join(lacks[:3])}",
        action="Document what is missing.",
    )


def _judge_compatibility(run: Examination, specification: Mapping[str, Any]) -> None:
    path = run.params["released_spec_path"]
    if not path:
        run.verdict.skip(
            "disabled_by_config",
            "breaking changes, since released_spec_path is not set",
            "Set released_spec_path to the specification of the last release.",
        )
        return
    candidate = run.params["spec_path"]
    if candidate and os.path.realpath(candidate) == os.path.realpath(path):
        run.verdict.skip(
            "disabled_by_config",
            "breaking changes, since released_spec_path is the specification itself",
            "Keep a copy of the specification at each release, and set released_spec_path to it.",
        )
        return
    try:
        released = document.parse(document.read(path), is_json=path.endswith(".json"))
        comparison = compare(released, specification, datetime.now(timezone.utc).date())
    except OSError as fault:
        run.verdict.error("file-unreadable", f"released_spec_path {path}: {fault.strerror}", "Correct the path, or the rights of the file.")
        return
    except ValueError as fault:
        run.verdict.error("released-spec-unreadable", f"released_spec_path {path}: {fault}", "Restore the file from the release.")
        return
    except TooLarge as fault:
        run.verdict.error("comparison-too-large", f"the specifications cannot be compared: {fault}", "Simplify the schema named.")
        return
    was, now = _version(released), _version(specification)
    before, after = major(released), major(specification)
    bumped = before is not None and after is not None and after > before
    breaks = comparison.lines
    run.verdict.examine("released operations compared", comparison.operations)
    run.verdict.examine("rules of compatible change", len(RULES))
    run.verdict.measure("breaking_changes_count", len(breaks))
    run.verdict.record(version=now, released_version=was, schemas_compared=comparison.schemas, breaking_changes=breaks)
    run.verdict.expect(
        "what was released is broken only by a new major version",
        bumped or not breaks,
        expected="no breaking change, or a higher major number in info.version",
        observed=breaks[:_SHOWN],
        reason_code="breaking-change",
        reason=f"{len(breaks)} breaking change(s) from version {was} to {now}: {breaks[0]}" if breaks else "",
        action="Take the change back, publish it under a new /vN path, or raise the major number of info.version.",
    )


def judge_change_document(run: Examination) -> None:
    """Judge that the change-management document exists and has its two sections."""
    path = run.params["change_document_path"]
    if not path:
        run.verdict.skip(
            "disabled_by_config",
            "the change-management document, since change_document_path is not set",
            "Set change_document_path to the document.",
        )
        return
    text = None
    try:
        text = document.read(path).decode("utf-8")
    except FileNotFoundError:
        pass
    except OSError as fault:
        run.verdict.error("file-unreadable", f"change_document_path {path}: {fault.strerror}", "Correct the rights of the file.")
        return
    except ValueError as fault:
        run.verdict.error("change-doc-unreadable", f"change_document_path {path}: {fault}", "Save the document as UTF-8 text.")
        return
    run.verdict.expect(
        "there is a change-management document",
        text is not None,
        expected="a Markdown file",
        observed=f"nothing at {path}" if text is None else path,
        reason_code="change-doc-missing",
        action="Write it, or correct change_document_path.",
    )
    if text is None:
        return
    found = change_document.sections(text)
    run.verdict.examine("change document sections", len(found))
    for what, topic, code in (
        ("architecture decision records", change_document.ADR, "change-doc-missing-adr"),
        ("the freeze policy", change_document.FREEZE, "change-doc-missing-freeze"),
    ):
        run.verdict.expect(
            f"the change-management document has a section on {what}",
            change_document.has_section(found, topic),
            expected="a heading that names it, with content below",
            observed=[section.heading for section in found],
            reason_code=code,
            reason=f"the change-management document has no section on {what}, or an empty one",
            action=f"Write a section on {what}.",
        )


def _version(specification: Mapping[str, Any]) -> str:
    return str(Located(specification, "#").child("info").child("version").value)

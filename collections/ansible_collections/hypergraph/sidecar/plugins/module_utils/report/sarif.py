# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as SARIF 2.1.0 (OASIS standard of 27 March 2020), for code hosts to show at the lines they are about.

Each check is a run of its own with an id of its own, so that an upload closes alerts of those checks only that looked this time. A check
that examined nothing has no run, since no results would be read as nothing found.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from . import view

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
TOOL = "hypergraph.sidecar"
FINGERPRINT = "sidecarFinding/v1"
_ROOT = "SRCROOT"
_LEVELS = {"error": "error", "warning": "warning"}
_NOTIFICATIONS = (("errors", "error"), ("shortfalls", "warning"), ("skips", "note"))

Finding = Mapping[str, Any]


def render(report: Mapping[str, Any], findings: Mapping[str, Sequence[Finding]], base: Path) -> str | None:
    """The log, or None where no check of artifacts examined anything. Files below ``base``, the checkout, are told relative to it."""
    looked = [check for check in report["checks"] if check["check"] in findings and check["assertions"]]
    if not looked:
        return None
    runs = [_run(report, check, findings[check["check"]], base) for check in looked]
    return view.pretty({"$schema": SARIF_SCHEMA, "version": VERSION, "runs": runs}) + "\n"


def _run(report: Mapping[str, Any], check: Mapping[str, Any], findings: Sequence[Finding], base: Path) -> dict[str, Any]:
    ordered = sorted(findings, key=lambda finding: (str(finding.get("rule")), _written(finding), json.dumps(finding, sort_keys=True)))
    rules = list({_text(finding, "rule"): _rule(finding, check["check"]) for finding in ordered}.values())
    positions = {rule["id"]: position for position, rule in enumerate(rules)}
    waivers = {
        assertion["reason_code"]: assertion["waiver"]
        for part in check["parts"]
        for assertion in part["assertions"]
        if not assertion["ok"] and assertion["waiver"]
    }
    # A source with a comma is a list of hosts and no file.
    locate = _Locator(base, [str(source) for source in report["snapshot"]["inventory"] if "," not in str(source)])
    results = []
    seen: dict[str, int] = {}
    for finding in ordered:
        rule, location = _text(finding, "rule"), locate(finding)
        key = _identity(finding, location)
        seen[key] = seen.get(key, 0) + 1
        result = {
            "ruleId": rule,
            "ruleIndex": positions[rule],
            "level": _level(finding),
            "message": {"text": _message(finding)},
            "locations": [location],
            "partialFingerprints": {FINGERPRINT: hashlib.sha256(f"{key}#{seen[key]}".encode()).hexdigest()},
        }
        if rule in waivers:
            result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": f"waived by {waivers[rule]}"}]
        results.append(result)
    driver: dict[str, Any] = {"name": TOOL, "rules": rules}
    if report["snapshot"]["collection"]:
        driver["semanticVersion"] = report["snapshot"]["collection"]
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"{report['environment']}/{check['check']}/{report['run_id']}"},
        "invocations": [
            {
                "executionSuccessful": not any(part["errors"] for part in check["parts"]),
                "endTimeUtc": report["finished"],
                "toolExecutionNotifications": list(_notifications(check)),
            }
        ],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "Where ansible-playbook was started: the root of the checkout."}}},
        "results": results,
    }


def _rule(finding: Finding, check: str) -> dict[str, Any]:
    title, fix, source = (_text(finding, name) for name in ("title", "fix", "source"))
    rule: dict[str, Any] = {
        "id": _text(finding, "rule"),
        "shortDescription": {"text": title or _text(finding, "rule")},
        "help": {"text": "\n".join(line for line in (fix, f"Source: {source}" if source else "") if line) or title or check},
        "defaultConfiguration": {"level": _level(finding)},
        "properties": {"tags": [check]},
    }
    if urlsplit(source).scheme in ("http", "https") and " " not in source:
        rule["helpUri"] = source
    return rule


class _Locator:
    """Says where findings are. Code hosts refuse a result without a file, so that what is in none is said of the inventory."""

    def __init__(self, base: Path, inventory: Sequence[str]) -> None:
        self._base = base
        self._otherwise = inventory[0] if inventory else "inventories"

    def __call__(self, finding: Finding) -> dict[str, Any]:
        file, line = finding.get("file"), finding.get("line")
        physical: dict[str, Any] = {"artifactLocation": self._artifact(str(file) if file else self._otherwise)}
        if file and isinstance(line, int) and line > 0:
            physical["region"] = {"startLine": line}
        location: dict[str, Any] = {"physicalLocation": physical}
        subject = _text(finding, "object")
        if subject:
            location["logicalLocations"] = [{"fullyQualifiedName": "/".join((subject, *_path(finding))), "kind": "resource"}]
        return location

    def _artifact(self, file: str) -> dict[str, Any]:
        path = Path(os.path.normpath(self._base / file))
        if path.is_relative_to(self._base):
            return {"uri": quote(path.relative_to(self._base).as_posix()), "uriBaseId": _ROOT}
        return {"uri": path.as_uri()}


def _identity(finding: Finding, location: Mapping[str, Any]) -> str:
    """What makes a finding the same in the next run: rule, file, object and the part of it; not the line, nor what was observed."""
    uri = location["physicalLocation"]["artifactLocation"]["uri"]
    return json.dumps([_text(finding, "rule"), uri, _text(finding, "object"), *_path(finding)])


def _notifications(check: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Why the check could not look everywhere."""
    for kind, level in _NOTIFICATIONS:
        for part in check["parts"]:
            for record in part[kind]:
                yield {"level": level, "message": {"text": record["reason"]}}


def _message(finding: Finding) -> str:
    at = "".join(f"[{key}]" if key.isdigit() else f".{key}" for key in _path(finding)).lstrip(".")
    what = " ".join(part for part in (_text(finding, "object"), at) if part)
    said = f"{_text(finding, 'title')}. {what}: expected {_text(finding, 'expected')}, observed {_text(finding, 'observed')}."
    return f"{said} {_text(finding, 'fix')}".strip()


def _written(finding: Finding) -> tuple[str, int]:
    line = finding.get("line")
    return _text(finding, "file"), line if isinstance(line, int) else 0


def _level(finding: Finding) -> str:
    return _LEVELS.get(_text(finding, "severity"), "note")


def _path(finding: Finding) -> list[str]:
    path = finding.get("path")
    return [str(key) for key in path] if isinstance(path, list) else []


def _text(finding: Finding, name: str) -> str:
    value = finding.get(name)
    return "" if value is None else str(value)

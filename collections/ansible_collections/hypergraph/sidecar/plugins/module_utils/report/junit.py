# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML, in the subset that the schemas of Ant and of Jenkins both accept.

A suite for the gate, then one a check with a case for every assertion and control. What failed is a failure; what broke, could not say or
did not run is an error, so that no viewer shows it green; what was skipped or is waived is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from .headline import label

# XML 1.0, production 2: what a document may not contain, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """One test case. ``outcome`` is empty for a pass, else ``failure``, ``error`` or ``skipped``."""

    name: str
    outcome: str = ""
    kind: str = ""
    message: str = ""
    detail: str = ""


def render(report: Mapping[str, Any]) -> str:
    """The XML document."""
    root = ElementTree.Element("testsuites")
    _suite(root, report, "gate", [_gate(report)], 0.0, report["environment"])
    for check in report["checks"]:
        cases = [case for part in check["parts"] for case in _cases(part, several_hosts=len(check["hosts"]) > 1)]
        _suite(root, report, check["check"], cases, check["duration_ms"] / 1000, ", ".join(check["hosts"]))
    for check, absent in report["not_run"].items():
        outcome = "error" if absent["required"] else "skipped"
        case = Case("the check runs", outcome, absent["reason_code"], f"{label('not_run')}: {absent['reason']}", absent["action"])
        _suite(root, report, check, [case], 0.0, "")
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _gate(report: Mapping[str, Any]) -> Case:
    if report["gate"]["open"]:
        return Case("the gate is open")
    reasons = [f"{reason['check']} {label(reason['status'])}: {reason['reason']}".strip() for reason in report["gate"]["reasons"]]
    return Case("the gate is open", "failure", "gate-closed", report["gate"]["headline"][1], "\n".join(reasons))


def _cases(part: Mapping[str, Any], several_hosts: bool) -> Iterator[Case]:
    at = f" [{part['host']}]" if several_hosts and part["host"] else ""
    for assertion in part["assertions"]:
        outcome = "" if assertion["ok"] else "skipped" if assertion["waiver"] else "failure"
        yield _examined(assertion["name"] + at, outcome, assertion)
    for control in part["controls"]:
        yield _examined(f"control: {control['name']}{at}", "" if control["ok"] else "error", control)
    for record in (*part["errors"], *part["shortfalls"]):
        yield Case(record["reason_code"] + at, "error", record["reason_code"], record["reason"], record["action"])
    for skip in part["skips"]:
        yield Case(f"skipped: {skip['reason']}{at}", "skipped", skip["skip_class"], skip["reason"], skip["action"])


def _examined(name: str, outcome: str, assertion: Mapping[str, Any]) -> Case:
    if not outcome:
        return Case(name)
    compared = f"expected {assertion['expected']}, observed {assertion['observed']}"
    message = f"waived by {assertion['waiver']}: {compared}" if assertion["waiver"] else assertion["reason"] or compared
    detail = "\n".join(line for line in (assertion["reason"], compared, assertion["action"]) if line)
    return Case(name, outcome, assertion["reason_code"], message, detail)


def _suite(root: ElementTree.Element, report: Mapping[str, Any], name: str, cases: list[Case], seconds: float, host: str) -> None:
    counted = {outcome: sum(case.outcome == outcome for case in cases) for outcome in ("failure", "error", "skipped")}
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        {
            "name": _xml(name),
            "package": f"sidecar.{report['environment']}",
            "id": str(len(root)),
            "hostname": _xml(host) or "localhost",
            "timestamp": report["started"][:19],
            "tests": str(len(cases)),
            "failures": str(counted["failure"]),
            "errors": str(counted["error"]),
            "skipped": str(counted["skipped"]),
            "time": f"{seconds:.3f}",
        },
    )
    properties = ElementTree.SubElement(suite, "properties")
    ElementTree.SubElement(properties, "property", {"name": "run_id", "value": report["run_id"]})
    for case in cases:
        share = f"{seconds / len(cases):.3f}"
        element = ElementTree.SubElement(suite, "testcase", {"name": _xml(case.name), "classname": f"sidecar.{_xml(name)}", "time": share})
        if case.outcome:
            attributes = {"message": _xml(case.message)}
            if case.outcome != "skipped":
                attributes["type"] = _xml(case.kind) or "unnamed"
            ElementTree.SubElement(element, case.outcome, attributes).text = _xml(case.detail)
    ElementTree.SubElement(suite, "system-out")
    ElementTree.SubElement(suite, "system-err")


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)

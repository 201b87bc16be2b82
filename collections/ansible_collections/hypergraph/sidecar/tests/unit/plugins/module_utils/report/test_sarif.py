# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as SARIF: where they are, how bad, the same in the next run, and no empty log where nothing was looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import collect, sarif
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import HOSTILE, registered, report

BASE = Path("/srv/checkout")
# The parts of the schema of SARIF 2.1.0 that this log has, as strict as there (no other properties), with what code hosts ask for besides:
# a level, a file, and a fingerprint for each result.
_MESSAGE = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1}},
    "additionalProperties": False,
}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_PROPERTIES = {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True, "items": {"type": "string"}}}}


def strictly(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_ARTIFACT = strictly(["uri"], uri={"type": "string", "format": "uri-reference", "minLength": 1}, uriBaseId={"const": "SRCROOT"})
_LOCATION = strictly(
    ["physicalLocation"],
    physicalLocation=strictly(
        ["artifactLocation"], artifactLocation=_ARTIFACT, region=strictly(["startLine"], startLine={"type": "integer", "minimum": 1})
    ),
    logicalLocations={
        "type": "array",
        "items": strictly(["fullyQualifiedName", "kind"], fullyQualifiedName={"type": "string"}, kind={"type": "string"}),
    },
)
_RULE = strictly(
    ["id", "shortDescription", "help", "defaultConfiguration", "properties"],
    id={"type": "string", "minLength": 1},
    shortDescription=_MESSAGE,
    help=_MESSAGE,
    helpUri={"type": "string", "format": "uri"},
    defaultConfiguration=strictly(["level"], level=_LEVEL),
    properties=_PROPERTIES,
)
_RESULT = strictly(
    ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    ruleId={"type": "string"},
    ruleIndex={"type": "integer", "minimum": 0},
    level=_LEVEL,
    message=_MESSAGE,
    locations={"type": "array", "minItems": 1, "maxItems": 1, "items": _LOCATION},
    partialFingerprints={"type": "object", "minProperties": 1, "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
    suppressions={
        "type": "array",
        "items": strictly(
            ["kind"], kind={"enum": ["inSource", "external"]}, status={"enum": ["accepted"]}, justification={"type": "string"}
        ),
    },
)
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
_RUN = strictly(
    ["tool", "automationDetails", "invocations", "originalUriBaseIds", "results"],
    tool=strictly(
        ["driver"],
        driver=strictly(
            ["name", "rules"],
            name={"type": "string"},
            semanticVersion={"type": "string"},
            rules={"type": "array", "uniqueItems": True, "items": _RULE},
        ),
    ),
    automationDetails=strictly(["id"], id={"type": "string"}),
    invocations={
        "type": "array",
        "items": strictly(
            ["executionSuccessful"],
            executionSuccessful={"type": "boolean"},
            endTimeUtc=_TIME,
            toolExecutionNotifications={"type": "array", "items": strictly(["message", "level"], message=_MESSAGE, level=_LEVEL)},
        ),
    },
    originalUriBaseIds={"type": "object", "additionalProperties": strictly([], description=_MESSAGE)},
    results={"type": "array", "items": _RESULT},
)
SCHEMA = strictly(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": _RUN}},
)


def finding(**changes: Any) -> dict[str, Any]:
    usual = {
        "rule": "replicas-owned-twice",
        "title": "Nothing but the autoscaler sets replicas",
        "severity": "error",
        "object": "Deployment/gateway",
        "path": ["spec", "replicas"],
        "file": "/srv/checkout/manifests/helm/templates/gate way.yaml",
        "line": 12,
        "expected": "no spec.replicas",
        "observed": "3",
        "fix": "Take spec.replicas out.",
        "source": "https://keda.sh/docs/",
    }
    return {**usual, **changes}


def verdict(check: str = "deploy_artifacts", **records: Any) -> dict[str, Any]:
    verdict = Verdict(check)
    for code in records.get("broken", ()):
        verdict.expect(f"rule {code}", False, reason_code=code)
    if records.get("looked", True):
        verdict.expect("a rule that holds", True, reason_code="holds")
        verdict.examine("objects", 3)
    if "error" in records:
        verdict.error("chart-broken", records["error"])
    if "skip" in records:
        verdict.skip("dependency_missing", records["skip"], "Install it.")
    return verdict.to_dict()


def log_of(document: dict[str, Any], findings: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    text = sarif.render(document, findings, BASE)
    assert text is not None
    log: dict[str, Any] = json.loads(text)
    jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    return log


def one_run(*findings: dict[str, Any], **circumstances: Any) -> dict[str, Any]:
    document = report(registered(verdict(broken=sorted({one["rule"] for one in findings}))), **circumstances)
    (run,) = log_of(document, {"deploy_artifacts": list(findings)})["runs"]
    found: dict[str, Any] = run
    return found


def test_a_finding_says_where_it_is_what_is_wrong_and_what_to_do() -> None:
    run = one_run(finding())
    (result,) = run["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "manifests/helm/templates/gate%20way.yaml", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 12},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "Deployment/gateway/spec/replicas", "kind": "resource"}]
    assert result["message"]["text"] == (
        "Nothing but the autoscaler sets replicas. Deployment/gateway spec.replicas: expected no spec.replicas, observed 3."
        " Take spec.replicas out."
    )
    (rule,) = run["tool"]["driver"]["rules"]
    assert (rule["id"], rule["help"]["text"]) == (result["ruleId"], "Take spec.replicas out.\nSource: https://keda.sh/docs/")
    assert rule["helpUri"] == "https://keda.sh/docs/"
    assert run["automationDetails"]["id"] == "staging/deploy_artifacts/20301121T120000Z-0a1b2c"
    assert run["invocations"][0] == {
        "executionSuccessful": True,
        "endTimeUtc": "2030-11-21T12:00:00.000Z",
        "toolExecutionNotifications": [],
    }


@pytest.mark.parametrize(("severity", "level"), [("error", "error"), ("warning", "warning"), ("info", "note"), (None, "note")])
def test_severities_are_levels(severity: Any, level: str) -> None:
    run = one_run(finding(severity=severity))
    assert run["results"][0]["level"] == run["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] == level


@pytest.mark.parametrize(
    ("file", "line", "artifact", "region"),
    [
        ("manifests/a.yaml", 3, {"uri": "manifests/a.yaml", "uriBaseId": "SRCROOT"}, {"startLine": 3}),
        ("/srv/checkout/inventories/lab/../../a.yaml", 3, {"uri": "a.yaml", "uriBaseId": "SRCROOT"}, {"startLine": 3}),
        ("/srv/elsewhere/a.yaml", 3, {"uri": "file:///srv/elsewhere/a.yaml"}, {"startLine": 3}),
        ("../elsewhere/a.yaml", None, {"uri": "file:///srv/elsewhere/a.yaml"}, None),
        ("a#b?.yaml", 0, {"uri": "a%23b%3F.yaml", "uriBaseId": "SRCROOT"}, None),
        (None, 7, {"uri": "inventories/staging", "uriBaseId": "SRCROOT"}, None),
    ],
    ids=["relative", "roundabout", "elsewhere", "above", "special", "no file"],
)
def test_files_are_told_from_the_root_of_the_checkout(file: Any, line: Any, artifact: Any, region: Any) -> None:
    physical = one_run(finding(file=file, line=line))["results"][0]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == artifact
    assert physical.get("region") == region


@pytest.mark.parametrize("inventory", [[], ["web1,web2"]])
def test_without_a_file_and_an_inventory_there_is_a_place_all_the_same(inventory: list[str]) -> None:
    document = report(registered(verdict(broken=["replicas-owned-twice"])))
    document["snapshot"]["inventory"] = inventory
    (run,) = log_of(document, {"deploy_artifacts": [finding(file=None)]})["runs"]
    artifact = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "inventories", "uriBaseId": "SRCROOT"}


def fingerprints(*findings: dict[str, Any]) -> list[str]:
    return [result["partialFingerprints"][sarif.FINGERPRINT] for result in one_run(*findings)["results"]]


def test_a_finding_that_moved_is_the_same_and_another_is_not() -> None:
    (before,) = fingerprints(finding())
    assert fingerprints(finding(line=99, observed="4")) == [before]
    others = [finding(rule="another"), finding(object="Deployment/other"), finding(path=["spec"]), finding(file="b.yaml")]
    assert len({before, *(fingerprints(other)[0] for other in others)}) == 5
    twice = fingerprints(finding(observed="3"), finding(observed="4", line=40))
    assert len(set(twice)) == 2
    assert before in twice


def test_rules_are_told_once_and_results_point_at_theirs() -> None:
    run = one_run(finding(rule="b"), finding(rule="a", title=""), finding(rule="b", object="Deployment/other"))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["a", "b"]
    assert (
        [rules[result["ruleIndex"]]["id"] for result in run["results"]]
        == [result["ruleId"] for result in run["results"]]
        == ["a", "b", "b"]
    )


def test_a_check_that_looked_and_found_nothing_says_so_and_one_that_did_not_look_has_no_run() -> None:
    clean = verdict("autoscaling_policies", skip="no Karpenter manifests")
    unseen = verdict("capacity_attach_rate", looked=False, skip="no workload")
    other = verdict("gateway_rbac")
    document = report(registered(clean, unseen, other))
    (run,) = log_of(document, {"autoscaling_policies": [], "capacity_attach_rate": []})["runs"]
    assert run["automationDetails"]["id"].startswith("staging/autoscaling_policies/")
    assert run["results"] == []
    assert run["invocations"][0]["toolExecutionNotifications"] == [{"level": "note", "message": {"text": "no Karpenter manifests"}}]
    assert sarif.render(document, {"capacity_attach_rate": []}, BASE) is None
    assert sarif.render(document, {}, BASE) is None


def test_what_broke_on_the_way_is_no_success() -> None:
    document = report(registered(verdict(error="the chart is gone")))
    (run,) = log_of(document, {"deploy_artifacts": []})["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"] == [{"level": "error", "message": {"text": "the chart is gone"}}]


def test_a_waived_finding_is_suppressed_and_says_by_what() -> None:
    waiver = {
        "check": "deploy_artifacts",
        "assertion": "rule known",
        "owner": "ada",
        "ticket": "OPS-1",
        "reason": "known",
        "expires": "2030-12-10",
    }
    run = one_run(finding(rule="known"), finding(rule="new"), waivers=[waiver], required=("deploy_artifacts",))
    suppressions = {result["ruleId"]: result.get("suppressions") for result in run["results"]}
    assert suppressions == {"known": [{"kind": "external", "status": "accepted", "justification": "waived by OPS-1"}], "new": None}


def test_whatever_a_finding_holds_the_log_is_valid() -> None:
    hostile = dict.fromkeys(finding(), HOSTILE)
    strange = {"rule": 7, "severity": [], "path": "text", "file": "", "line": "12", "object": None, "source": "https://a b", "fix": None}
    run = one_run({**hostile, "rule": "hostile"}, {**finding(), **strange, "rule": "7"})
    assert len(run["results"]) == 2


def test_findings_are_gathered_once_by_check_and_without_secrets() -> None:
    secret = "s3cret-value-1234"
    result = {"verdict": verdict(), "findings": [finding(observed=secret), "no finding"]}
    looped = {"results": [{"ansible_loop_var": "item", "verdict": verdict("observability"), "findings": [finding(rule="x")]}]}
    variables = {
        "a": {
            "sidecar_verdict_chart": result,
            "sidecar_verdict_dashboards": looped,
            "sidecar_verdict_rbac": {"verdict": verdict("gateway_rbac")},
        },
        "b": {"sidecar_verdict_chart": result, "sidecar_verdict_argocd": {"verdict": verdict(), "findings": [finding(rule="y")]}},
    }
    found = collect.findings(variables, Redactor([secret]))
    assert {check: [one["rule"] for one in told] for check, told in found.items()} == {
        "deploy_artifacts": ["replicas-owned-twice", "y"],
        "observability": ["x"],
    }
    assert secret not in json.dumps(found)

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module chart_check as Ansible runs it, on a chart as it lies on disk."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.check import RULES
from ansible_collections.hypergraph.sidecar.plugins.modules import chart_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

HELM = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
needs_helm = pytest.mark.skipif(HELM is None, reason="there is no helm to render with")
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: registry.example.org/web:1.0.0
          env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}]
          ports: [{name: http, containerPort: 8080}]
          resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 5}
          livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 15}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
"""
Check = Callable[..., dict[str, Any]]


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart that is sound where Deployments and Services are all that it must have."""
    files = {
        "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "values.yaml": "replicas: 2\n",
        "values-production.yaml": "replicas: 3\n",
        "templates/web.yaml": WEB,
    }
    for name, text in files.items():
        (tmp_path / "shop" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shop" / name).write_text(text)
    return tmp_path / "shop"


@pytest.fixture
def check(chart: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Check:
    def checked(**arguments: Any) -> dict[str, Any]:
        given = {"chart_path": str(chart), "helm_path": HELM, "namespace": "shop", "expected_kinds": ["Deployment", "Service"], **arguments}
        return run_main(chart_check.main, {name: value for name, value in given.items() if value is not None}, monkeypatch, capsys)

    return checked


def edited(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def judged(result: dict[str, Any]) -> tuple[str, str]:
    return result["verdict"]["status"], result["verdict"]["reason_code"]


@needs_helm
def test_what_is_sound_passes_and_says_what_it_looked_at(check: Check) -> None:
    result = check()
    assert judged(result) == ("pass", ""), result["msg"]
    assert (result["changed"], result["findings"]) == (False, [])
    verdict, evidence = result["verdict"], result["verdict"]["evidence"]
    assert verdict["examined"] == {"rendered objects": 2, "rules": len(evidence["rules_examined"])}
    assert evidence["objects_by_kind"] == {"Deployment": 1, "Service": 1}
    assert evidence["taken_as_there"] == ["Secret/keys"]
    assert evidence["chart"] == "shop 1.0.0"
    assert evidence["rules_examined"]["values-key-undefined"] == 1
    # What was looked at and what there was nothing of is the whole of the rules.
    assert {*evidence["rules_examined"], *evidence["rules_not_applicable"]} == {rule.id for rule in RULES}
    assert "kubernetes_schemas" not in evidence


@needs_helm
def test_a_key_that_is_there_twice_is_a_finding_with_its_template(check: Check, chart: Path) -> None:
    edited(
        chart / "templates/web.yaml",
        "metadata: {name: web}\nspec: {sel",
        "metadata: {name: web}\nspec: {type: NodePort, type: ClusterIP, sel",
    )
    result = check()
    assert judged(result) == ("fail", "key-rendered-twice"), result["msg"]
    (found,) = result["findings"]
    assert (found["object"], found["path"], found["file"]) == ("Service/web", ["spec", "type"], str(chart / "templates/web.yaml"))


@needs_helm
def test_check_mode_looks_at_the_same(check: Check) -> None:
    assert check(_ansible_check_mode=True)["verdict"]["examined"] == check()["verdict"]["examined"]


@needs_helm
@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (".Values.replicas", ".Values.replica", "values-key-undefined"),
        ("apiVersion: apps/v1", "apiVersion: extensions/v1beta1", "api-version-not-served"),
        ("metadata: {name: web}\nspec: {sel", "metadata: {name: Web}\nspec: {sel", "name-invalid"),
        ("readinessProbe", "readynessProbe", "schema-broken"),
        ("{labels: {app: web}}", "{labels: {app: wbe}}", "selector-mismatch"),
        ("targetPort: http", "targetPort: web", "service-port-not-offered"),
        ("automountServiceAccountToken: false", "serviceAccountName: nobody", "reference-missing"),
        ("valueFrom: {secretKeyRef: {name: keys, key: token}}", "value: not-a-key-but-looks-like-one", "secret-in-plain-text"),
    ],
)
def test_a_defect_is_found_with_its_template(check: Check, chart: Path, old: str, new: str, code: str) -> None:
    edited(chart / "templates/web.yaml", old, new)
    result = check()
    assert judged(result) == ("fail", code), result["msg"]
    first = next(finding for finding in result["findings"] if finding["rule"] == code)
    assert first["file"] == str(chart / "templates/web.yaml")
    assert {"object", "expected", "observed", "fix", "source", "severity"} <= first.keys()
    assert "looks-like-one" not in str(result)


@needs_helm
def test_an_environment_is_judged_by_its_own_values(check: Check, chart: Path) -> None:
    (chart / "values-production.yaml").write_text("replicas: many\n")
    assert judged(check()) == ("pass", "")
    assert judged(check(values_files=[str(chart / "values-production.yaml")])) == ("fail", "schema-broken")
    assert judged(check(set_values=["replicas=2.5"])) == ("fail", "schema-broken")


@needs_helm
def test_what_the_environment_asks_is_held(check: Check) -> None:
    assert judged(check(expected_kinds=None)) == ("fail", "expected-kind-missing")
    assert judged(check(existing_objects=["Secret/keys"])) == ("pass", "")
    missing = check(existing_objects=["Secret/others"])
    assert judged(missing) == ("fail", "reference-missing")
    assert "there is no Secret/keys" in missing["msg"]
    assert {finding["rule"] for finding in check(production=True)["findings"]} >= {"image-without-digest"}


@needs_helm
def test_a_warning_fails_where_it_is_told_to(check: Check, chart: Path) -> None:
    (chart / "values.yaml").write_text("replicas: 2\ntypo: 1\n")
    result = check()
    assert judged(result) == ("pass", "")
    assert list(result["verdict"]["evidence"]["warnings"]) == ["values-key-unused"]
    assert [(one["rule"], one["line"]) for one in result["findings"]] == [("values-key-unused", 2)]
    assert judged(check(fail_on="warning")) == ("fail", "values-key-unused")
    quiet = check(fail_on="warning", disabled_rules=["values-key-unused"])
    assert judged(quiet) == ("pass", "")
    assert quiet["verdict"]["evidence"]["rules_disabled"] == ["values-key-unused"]


@needs_helm
def test_a_kind_that_nobody_can_judge_is_named(check: Check, chart: Path) -> None:
    (chart / "templates/widget.yaml").write_text("apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: a}\n")
    result = check()
    assert judged(result) == ("inconclusive", "schema-unknown")
    assert "example.org/v1 Widget" in result["msg"]
    assert judged(check(kinds_without_schema=["Widget"])) == ("pass", "")


@needs_helm
def test_a_selector_that_may_mean_pods_of_an_operator_is_not_passed_over(check: Check, chart: Path) -> None:
    (chart / "templates/widget.yaml").write_text("apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: a}\n")
    edited(chart / "templates/web.yaml", "spec: {selector: {app: web}", "spec: {selector: {app: wbe}")
    result = check(kinds_without_schema=["Widget"])
    assert judged(result) == ("inconclusive", "selector-not-judged")
    assert "Service/web" in result["msg"]
    assert "example.org/v1 Widget" in result["msg"]
    assert "service-selects-nothing" not in result["verdict"]["evidence"]["rules_not_applicable"]
    quiet = check(kinds_without_schema=["Widget"], disabled_rules=["service-selects-nothing"])
    assert judged(quiet) == ("pass", "")
    settled = check(kinds_without_schema=["Widget"], selects_operator_pods=["Service/web"])
    assert judged(settled) == ("pass", "")
    assert "service-selects-nothing" in settled["verdict"]["evidence"]["rules_not_applicable"]


@needs_helm
def test_a_warning_that_cannot_be_judged_only_holds_up_where_warnings_do(check: Check, chart: Path) -> None:
    policy = (
        "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: a}\n---\n"
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\n"
        "spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]}\n"
    )
    (chart / "templates/policy.yaml").write_text(policy)
    lenient = check(kinds_without_schema=["Widget"])
    assert judged(lenient) == ("pass", "")
    (said,) = lenient["verdict"]["evidence"]["warnings"]["policy-peer-unknown"]
    assert said.startswith("NetworkPolicy/web selects nothing that is rendered")
    assert judged(check(kinds_without_schema=["Widget"], fail_on="warning")) == ("inconclusive", "selector-not-judged")


@needs_helm
def test_a_chart_that_renders_nothing_is_none_that_passes(check: Check, chart: Path) -> None:
    (chart / "templates/web.yaml").write_text("{{- if false }}\na: b\n{{- end }}\n")
    assert judged(check()) == ("fail", "nothing-rendered")


@needs_helm
def test_what_was_not_judged_is_named(check: Check, chart: Path) -> None:
    (chart / "templates/logo.png").write_bytes(b"")
    (chart / "templates/_odd.tpl").write_bytes(b"\xff\xfe")
    newer = check(kube_version="1.99")
    assert judged(newer) == ("pass", "")
    assert "_odd.tpl" in newer["verdict"]["evidence"]["values_not_examined"]
    assert newer["verdict"]["evidence"]["kubernetes_schemas"].endswith("for 1.99")


def test_without_a_chart_the_check_is_skipped(check: Check) -> None:
    assert judged(check(chart_path=None)) == ("skip", "dependency_missing")


def test_without_helm_the_check_is_skipped(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    result = check(helm_path=None)
    assert judged(result) == ("skip", "dependency_missing")
    assert "no helm" in result["msg"]


@needs_helm
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"chart_path": "/nowhere"}, "chart-missing"),
        ({"values_files": ["/nowhere/values.yaml"]}, "values-file-missing"),
        ({"kube_version": "latest"}, "bad-version"),
        ({"kube_version": "1.20"}, "kube-version-without-schemas"),
        ({"disabled_rules": ["no-such-rule"]}, "unknown-rule"),
        ({"existing_objects": ["keys"]}, "bad-argument"),
        ({"existing_objects": ["Secret/a b"]}, "bad-argument"),
        ({"selects_operator_pods": ["web"]}, "bad-argument"),
        ({"webhook_port": 0}, "bad-argument"),
        ({"webhook_port": 65536}, "bad-argument"),
        ({"stage_p99_seconds": {"web": "long"}}, "bad-argument"),
        ({"stage_p99_seconds": {"web": 0}}, "bad-argument"),
        ({"stage_p99_seconds": {"web": True}}, "bad-argument"),
        ({"stage_p99_seconds": {"web": [8]}}, "bad-argument"),
    ],
)
def test_what_cannot_be_used_is_an_error(check: Check, arguments: dict[str, Any], code: str) -> None:
    result = check(**arguments)
    assert judged(result) == ("error", code), result["msg"]
    assert result["verdict"]["action"]


@needs_helm
def test_seconds_may_come_as_text(check: Check) -> None:
    assert judged(check(stage_p99_seconds={"w*": "8"})) == ("pass", "")

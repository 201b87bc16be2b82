# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module argocd_check as Ansible runs it, on files and on a repository they point into."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules import argocd_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

HELM = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
needs_helm = pytest.mark.skipif(HELM is None, reason="there is no helm to render with")
REPOSITORY = "https://git.example.org/shop.git"
APPLICATIONS = f"""
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {{name: shop, namespace: argocd}}
spec:
  sourceRepos: ["*"]
  destinations: [{{server: "*", namespace: "*"}}]
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: shop, namespace: argocd}}
spec:
  project: shop
  source:
    repoURL: {REPOSITORY}
    path: chart
    targetRevision: v1.0.0
    helm: {{valueFiles: [values-production.yaml]}}
  destination: {{server: "https://kubernetes.default.svc", namespace: shop}}
  syncPolicy:
    automated: {{prune: true, selfHeal: true}}
    syncOptions: [CreateNamespace=true]
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: extras, namespace: argocd}}
spec:
  project: shop
  source: {{repoURL: {REPOSITORY}, path: extras, targetRevision: v1.0.0}}
  destination: {{server: "https://kubernetes.default.svc", namespace: shop}}
  syncPolicy: {{syncOptions: [CreateNamespace=true]}}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  {{- if .Values.replicas }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web:1.0.0}]}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  triggers: [{type: cpu, metricType: Utilization, metadata: {value: "60"}}]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
Check = Callable[..., dict[str, Any]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with applications, the chart of one and the folder of the other."""
    files = {
        "argocd/applications.yaml": APPLICATIONS,
        "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "chart/values.yaml": "replicas: 0\n",
        "chart/values-production.yaml": "{}\n",
        "chart/templates/web.yaml": DEPLOYMENT,
        "extras/service.yaml": SERVICE,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def check(checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Check:
    def checked(**arguments: Any) -> dict[str, Any]:
        given = {
            "argocd_paths": [str(checkout / "argocd")],
            "repo_root": str(checkout),
            "namespace": "shop",
            "release": "shop",
            **arguments,
        }
        return run_main(argocd_check.main, {name: value for name, value in given.items() if value is not None}, monkeypatch, capsys)

    return checked


def edited(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def judged(result: dict[str, Any]) -> tuple[str, str]:
    return result["verdict"]["status"], result["verdict"]["reason_code"]


def test_what_is_sound_passes_and_says_what_it_looked_at(check: Check) -> None:
    result = check()
    assert judged(result) == ("pass", ""), result["msg"]
    assert (result["changed"], result["findings"]) == (False, [])
    verdict = result["verdict"]
    assert {"Argo CD objects": 3, "applications": 2}.items() <= verdict["examined"].items()
    assert verdict["evidence"]["folders_read"] == {"extras": 1}
    assert "what the chart renders, since chart_path is empty" in result["msg"]


@needs_helm
def test_the_chart_is_rendered_for_what_its_application_deploys(check: Check, checkout: Path) -> None:
    chart = {"chart_path": str(checkout / "chart"), "helm_path": HELM}
    result = check(**chart)
    assert judged(result) == ("pass", ""), result["msg"]
    assert result["verdict"]["evidence"]["rendered_objects"] == 2
    assert result["verdict"]["evidence"]["rules_examined"]["self-heal-fights-autoscaler"] == 1
    assert judged(check(**chart, set_values=["replicas=2"])) == ("fail", "self-heal-fights-autoscaler")
    # The folder of the other application holds what the chart renders too.
    edited(checkout / "extras/service.yaml", "v1\nkind: Service", "apps/v1\nkind: Deployment")
    assert judged(check(**chart)) == ("fail", "resource-in-two-applications")


@needs_helm
def test_the_fault_of_a_chart_is_an_error_and_not_a_pass(check: Check, checkout: Path) -> None:
    edited(checkout / "chart/templates/web.yaml", ".Values.replicas }}\n  replicas", ".Values.replicas.of.what }}\n  replicas")
    assert check(chart_path=str(checkout / "chart"), helm_path=HELM)["verdict"]["status"] == "error"


def test_without_helm_the_rendered_part_is_named_as_not_examined(check: Check, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    monkeypatch.setattr(sys, "executable", str(checkout / "python"))
    result = check(chart_path=str(checkout / "chart"))
    assert judged(result) == ("pass", "")
    assert any("what the chart renders: no helm" in skip["reason"] for skip in result["verdict"]["skips"])


def test_without_files_the_check_is_skipped(check: Check) -> None:
    assert judged(check(argocd_paths=[])) == ("skip", "dependency_missing")


def test_without_a_checkout_paths_are_named_as_not_examined(check: Check, checkout: Path) -> None:
    edited(checkout / "argocd/applications.yaml", "path: extras", "path: nowhere")
    result = check(repo_root=None)
    assert judged(result) == ("pass", "")
    assert "paths and value files in the repository, since repo_root is empty" in result["msg"]
    assert "source-path-missing" in result["verdict"]["evidence"]["rules_not_applicable"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("path: extras", "path: nowhere", "source-path-missing"),
        ("values-production.yaml", "values-prod.yaml", "value-file-missing"),
        ("selfHeal", "selfheal", "argocd-schema-broken"),
        ("syncOptions: [CreateNamespace=true]", "syncOptions: []", "namespace-missing"),
        ("project: shop", "project: shops", "project-missing"),
    ],
)
def test_a_defect_is_found_with_its_place(check: Check, checkout: Path, old: str, new: str, code: str) -> None:
    edited(checkout / "argocd/applications.yaml", old, new)
    result = check()
    assert judged(result) == ("fail", code), result["msg"]
    first = next(finding for finding in result["findings"] if finding["rule"] == code)
    assert first["file"] == str(checkout / "argocd/applications.yaml")
    assert first["line"] > 1
    assert {"object", "expected", "observed", "fix", "source", "severity"} <= first.keys()


def test_files_without_applications_fail(check: Check, checkout: Path) -> None:
    (checkout / "argocd/applications.yaml").write_text(SERVICE)
    result = check()
    assert judged(result) == ("fail", "no-applications")
    assert "1 objects: Service" in result["msg"]


def test_what_is_held_to_no_schema_is_named(check: Check, checkout: Path) -> None:
    (checkout / "argocd/rollout.yaml").write_text("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\n")
    result = check()
    assert judged(result) == ("pass", "")
    assert result["verdict"]["evidence"]["kinds_without_schema"] == ["argoproj.io/v1alpha1 Rollout"]


def test_an_application_set_that_only_argo_cd_can_expand_is_named(check: Check, checkout: Path) -> None:
    one = """
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: NAME, namespace: argocd}
spec:
  generators: [{clusters: {}}]
  syncPolicy: {preserveResourcesOnDeletion: true}
  PATCH
  template:
    metadata: {name: "{{.name}}"}
    spec:
      project: shop
      source: {repoURL: "https://charts.example.org", chart: a, targetRevision: 1.0.0}
      destination: {name: "{{.name}}", namespace: kube-system}
"""
    sets = (
        one.replace("NAME", "open").replace("PATCH", "goTemplate: true"),
        one.replace("NAME", "patched").replace("PATCH", 'templatePatch: "a"'),
    )
    (checkout / "argocd/sets.yaml").write_text("---".join(sets))
    result = check()
    assert judged(result) == ("pass", ""), result["msg"]
    assert result["verdict"]["evidence"]["application_sets_not_expanded"] == ["open", "patched"]
    assert result["verdict"]["examined"]["applications"] == 3


@pytest.mark.parametrize(
    ("file", "text"),
    [("kustomization.yaml", "resources: [service.yaml]\n"), ("Chart.yaml", "apiVersion: v2\nname: extras\nversion: 1.0.0\n")],
)
def test_folders_for_another_tool_are_not_read_as_manifests(check: Check, checkout: Path, file: str, text: str) -> None:
    (checkout / "extras" / file).write_text(text)
    (checkout / "extras/broken.yaml").write_text("{{ template }}")
    result = check()
    assert judged(result) == ("pass", "")
    assert result["verdict"]["evidence"]["folders_read"] == {}


def test_a_warning_fails_where_it_is_told_to(check: Check, checkout: Path) -> None:
    edited(checkout / "argocd/applications.yaml", "prune: true", "prune: true, allowEmpty: true")
    result = check()
    assert judged(result) == ("pass", "")
    assert list(result["verdict"]["evidence"]["warnings"]) == ["prune-may-empty"]
    assert judged(check(fail_on="warning")) == ("fail", "prune-may-empty")
    assert judged(check(fail_on="warning", disabled_rules=["prune-may-empty"])) == ("pass", "")


def test_production_has_to_pin_what_it_deploys(check: Check, checkout: Path) -> None:
    edited(checkout / "argocd/applications.yaml", "targetRevision: v1.0.0", "targetRevision: main")
    assert judged(check()) == ("pass", "")
    assert judged(check(production=True)) == ("fail", "revision-not-pinned")


def test_of_several_repositories_the_one_at_hand_is_named(check: Check, checkout: Path) -> None:
    edited(
        checkout / "argocd/applications.yaml",
        f"{{repoURL: {REPOSITORY}, path: extras",
        "{repoURL: https://git.example.org/other, path: nowhere",
    )
    assert judged(check()) == ("error", "repository-ambiguous")
    assert judged(check(repo_url=REPOSITORY.upper())) == ("pass", "")
    assert judged(check(repo_url="https://git.example.org/other/")) == ("fail", "source-path-missing")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"argocd_paths": ["/nowhere/argocd.yaml"]}, "manifest-unreadable"),
        ({"repo_root": "/nowhere"}, "manifest-unreadable"),
        ({"argocd_version": "latest"}, "bad-version"),
        ({"disabled_rules": ["no-such-rule"]}, "unknown-rule"),
    ],
)
def test_what_cannot_be_read_is_an_error(check: Check, arguments: dict[str, Any], code: str) -> None:
    result = check(**arguments)
    assert judged(result) == ("error", code)
    assert result["verdict"]["action"]


@pytest.mark.parametrize(("file", "line"), [("argocd/more.yaml", 2), ("extras/more.yml", 2)])
def test_a_file_that_is_no_yaml_is_an_error_with_its_place(check: Check, checkout: Path, file: str, line: int) -> None:
    (checkout / file).write_text("kind: A\n\tname: b\n")
    result = check()
    assert judged(result) == ("error", "manifest-invalid")
    assert f"{file}:{line}" in result["msg"]

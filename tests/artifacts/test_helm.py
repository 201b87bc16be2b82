"""Rendering by the real helm: the reference chart, and everything that can be wrong with one."""

from __future__ import annotations

import os
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.helm import HelmMissing, render
from lab.settings import AWS_VARIABLES, Settings
from tests.running import CHECKOUT

CHART = CHECKOUT / "lab/manifests/helm/hypergraph"
TINY = {
    "Chart.yaml": "apiVersion: v2\nname: tiny\nversion: 1.2.3\n",
    "values.yaml": "a: {b: 1, c: 2}\n",
    "templates/one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {b: {{ .Values.a.b | quote }}}\n",
}


def params(chart: Path, **changed: Any) -> dict[str, Any]:
    return {
        "chart_path": str(chart),
        "release": "rel",
        "namespace": "ns",
        "values_files": [],
        "set_values": [],
        "api_versions": [],
        "helm_path": None,
        "kube_version": "1.33",
        "deadline": 60.0,
        **changed,
    }


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart of one object."""
    home = tmp_path / "charts/tiny"
    for name, text in TINY.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    return home


@pytest.mark.parametrize("environment", ["lab", "staging", "production"])
def test_the_reference_chart_renders(environment: str) -> None:
    rendered = render(params(CHART, values_files=[str(CHART / f"values-{environment}.yaml")]))
    kinds = {one.kind for one in rendered.objects}
    assert kinds >= {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "ScaledObject"}
    assert all(Path(one.place.file).is_file() for one in rendered.objects), "a place names its template"
    assert rendered.chart_name == "hypergraph"
    assert {"gateway", "explainer"} <= rendered.values.keys()


# What a deployment needs and one machine does not: where a pod is told its name, and what its queue and its explainers are.
UNKNOWN_TO_THE_LAB = {"POD_NAME", "QUEUE_URL", "EXPLAIN_GRANULARITIES"}


@pytest.mark.parametrize("environment", ["lab", "staging", "production"])
def test_the_reference_chart_sets_what_the_services_read(environment: str) -> None:
    objects = render(params(CHART, values_files=[str(CHART / f"values-{environment}.yaml")])).objects
    names = {name for one in objects if one.kind == "ConfigMap" for name in one.body["data"]}
    names |= {
        variable["name"]
        for one in objects
        if one.kind == "Deployment"
        for container in one.spec["template"]["spec"]["containers"]
        for variable in container.get("env", [])
    }
    known = {setting.name for setting in fields(Settings)} | set(AWS_VARIABLES)
    assert len(names & known) > 20
    assert names - known <= UNKNOWN_TO_THE_LAB


def test_values_are_merged_as_helm_merges_them_and_the_chart_is_left_alone(chart: Path, tmp_path: Path) -> None:
    overriding = tmp_path / "values-x.yaml"
    overriding.write_text("a: {b: 2}\n")
    before = sorted(chart.rglob("*"))
    rendered = render(params(chart, values_files=[str(overriding)], set_values=["a.d=3"]))
    assert rendered.values == {"a": {"b": 2, "c": 2, "d": 3}}
    assert [(str(one), one.at("data", "b")) for one in rendered.objects] == [("ConfigMap/rel", "2")]
    assert (rendered.chart_name, rendered.chart_version) == ("tiny", "1.2.3")
    assert rendered.helm_version.startswith("v")
    assert sorted(chart.rglob("*")) == before


def test_versions_and_apis_reach_the_templates(chart: Path) -> None:
    kind = '{{ if .Capabilities.APIVersions.Has "keda.sh/v1alpha1" }}With{{ else }}Without{{ end }}'
    (chart / "templates/one.yaml").write_text(f"kind: {kind}\nv: {{{{ .Capabilities.KubeVersion }}}}\n")
    assert [one.body for one in render(params(chart, kube_version="1.31.2")).objects] == [{"kind": "Without", "v": "v1.31.2"}]
    assert render(params(chart, api_versions=["keda.sh/v1alpha1"])).objects[0].kind == "With"


def test_a_chart_that_renders_nothing_has_no_objects(chart: Path) -> None:
    (chart / "templates/one.yaml").write_text("---\n# nothing\n---\n{{- if false }}\nkind: A\n{{- end }}\n")
    assert render(params(chart)).objects == ()


def test_of_a_key_that_is_there_twice_helm_takes_the_last(chart: Path) -> None:
    (chart / "templates/one.yaml").write_text("kind: A\na: 1\na: 2\n")
    (one,) = render(params(chart)).objects
    assert (one.body, one.repeated) == ({"kind": "A", "a": 2}, (("a",),))


@pytest.mark.parametrize(
    ("file", "text", "code", "says"),
    [
        (
            "templates/one.yaml",
            'a: {{ required "a name is required" .Values.none }}\n',
            "chart-template-error",
            "tiny/templates/one.yaml:1:6",
        ),
        ("templates/one.yaml", "a: {{ .Values.a.b\n", "chart-template-error", "tiny/templates/one.yaml:"),
        ("templates/one.yaml", "a: [1\n", "chart-template-error", "tiny/templates/one.yaml"),
        ("templates/one.yaml", "- a\n", "", "one.yaml"),
        ("values.schema.json", '{"properties": {"a": {"type": "string"}}}', "values-break-schema", "a"),
        ("values.yaml", "a: [1\n", "values-invalid", "values.yaml"),
        ("Chart.yaml", "apiVersion: v2\nname: tiny\nversion: 1.0.0\nkubeVersion: '>=2.0.0'\n", "chart-kube-version", ">=2.0.0"),
        (
            "Chart.yaml",
            "apiVersion: v2\nname: tiny\nversion: 1.0.0\ndependencies: [{name: db, version: 1.0.0, repository: 'file://../db'}]\n",
            "chart-dependencies-missing",
            "db",
        ),
    ],
)
def test_what_is_wrong_with_a_chart_is_named(file: str, text: str, code: str, says: str, chart: Path) -> None:
    (chart / file).write_text(text)
    with pytest.raises(CheckError) as raised:
        render(params(chart))
    assert raised.value.reason_code == code or not code
    assert says in raised.value.reason
    assert "/chart/" not in raised.value.reason, "the copy is nobody's business"
    assert raised.value.action


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"chart_path": "/nowhere/chart"}, "chart-missing"),
        ({"chart_path": str(CHECKOUT / "docs")}, "not-a-chart"),
        ({"values_files": ["/nowhere/values.yaml"]}, "values-file-missing"),
        ({"set_values": ["nothing"]}, "set-values-invalid"),
        ({"helm_path": "/nowhere/helm"}, "helm-unusable"),
    ],
)
def test_what_is_wrong_with_the_arguments_is_named(changed: dict[str, Any], code: str, chart: Path) -> None:
    with pytest.raises(CheckError) as raised:
        render({**params(chart), **changed})
    assert raised.value.reason_code == code


def test_a_helm_that_hangs_is_ended(chart: Path, tmp_path: Path) -> None:
    stuck = tmp_path / "helm"
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o755)
    with pytest.raises(CheckError) as raised:
        render(params(chart, helm_path=str(stuck), deadline=0.2))
    assert raised.value.reason_code == "helm-timeout"


def test_without_helm_there_is_nothing_to_render_with(chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *arguments, **options: None)
    with pytest.raises(HelmMissing) as raised:
        render(params(chart))
    assert "Install helm" in raised.value.action


def test_nothing_of_the_account_takes_part(chart: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "told"
    spy = tmp_path / "helm"
    spy.write_text(f"#!/bin/sh\nenv > {told}\n")
    spy.chmod(0o755)
    monkeypatch.setenv("HELM_PLUGINS", "/somewhere")
    monkeypatch.setenv("KUBECONFIG", "/somewhere/config")
    monkeypatch.setenv("A_SECRET", "s3cr3t")
    assert render(params(chart, helm_path=str(spy))).objects == ()
    seen = dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)
    assert not {"HELM_PLUGINS", "A_SECRET"} & seen.keys()
    assert seen["KUBECONFIG"] != os.environ["KUBECONFIG"]

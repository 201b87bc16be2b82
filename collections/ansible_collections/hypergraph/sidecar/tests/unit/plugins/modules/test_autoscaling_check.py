# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module autoscaling_check as Ansible runs it, on a chart that helm renders."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.check import rules
from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.registry import RULES
from ansible_collections.hypergraph.sidecar.plugins.modules import autoscaling_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

HELM = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
needs_helm = pytest.mark.skipif(HELM is None, reason="there is no helm to render with")

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "values.yaml": "web: {autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 6, backlogSecondsTarget: 2}}\n",
    "templates/web.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {example.org/pool: cpu}
      containers: [{name: web, image: "web:1.0.0", resources: {requests: {cpu: "2", memory: 1Gi}}}]
""",
    "templates/scaler.yaml": """
{{- with .Values.web.autoscaling }}
{{- if .enabled }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: shop-web}
spec:
  scaleTargetRef: {name: shop-web}
  minReplicaCount: {{ .minReplicas }}
  maxReplicaCount: {{ .maxReplicas }}
  triggers:
    - type: prometheus
      metricType: Value
      metadata:
        serverAddress: http://prometheus:9090
        query: max(queue_lag_seconds)
        threshold: {{ .backlogSecondsTarget | quote }}
    - type: solr
      metadata: {host: "http://solr:8983"}
{{- end }}
{{- end }}
""",
}
POOLS = """
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: cpu}
spec:
  limits: {cpu: "16"}
  disruption: {consolidateAfter: 5m}
  template:
    metadata: {labels: {example.org/pool: cpu}}
    spec:
      nodeClassRef: {group: eks.amazonaws.com, kind: NodeClass, name: default}
      requirements: [{key: kubernetes.io/arch, operator: In, values: [amd64]}]
"""

APPLICATION = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  syncPolicy: {syncOptions: [RespectIgnoreDifferences=true]}
  ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]
"""


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """Arguments for a sound chart with nodes for it."""
    for name, text in CHART.items():
        (tmp_path / "chart" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "chart" / name).write_text(text)
    (tmp_path / "pools.yaml").write_text(POOLS)
    return {"chart_path": str(tmp_path / "chart"), "karpenter_paths": [str(tmp_path / "pools.yaml")], "helm_path": HELM}


@pytest.fixture
def run(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Runs the module with changes of the arguments, and returns what it returned."""

    def run_with(**changes: Any) -> dict[str, Any]:
        return run_main(autoscaling_check.main, {**given, **changes}, monkeypatch, capsys)

    return run_with


def outcome(result: dict[str, Any]) -> tuple[str, str]:
    return (result["verdict"]["status"], result["verdict"]["reason_code"])


@needs_helm
def test_a_sound_deployment_passes_and_tells_what_was_looked_at(run: Any) -> None:
    result = run(autoscaled_workloads=["shop-web"])
    verdict = result["verdict"]
    assert (verdict["check"], verdict["status"], result["changed"]) == ("autoscaling_policies", "pass", False), result["msg"]
    assert verdict["evidence"]["rendered_objects"] == 2
    counts = {name: verdict["examined"][name] for name in ("NodePools", "autoscalers", "triggers")}
    assert counts == {"NodePools": 1, "autoscalers": 1, "triggers": 2}
    assert verdict["evidence"]["trigger_types_not_examined"] == ["solr"]
    assert result["findings"] == []


@needs_helm
def test_a_finding_names_the_template(run: Any, given: dict[str, Any]) -> None:
    template = Path(given["chart_path"], "templates", "scaler.yaml")
    template.write_text(template.read_text().replace("metricType: Value\n", "metricType: AverageValue\n"))
    result = run()
    assert outcome(result) == ("fail", "backlog-target-disagrees")
    told = {finding["rule"]: finding for finding in result["findings"]}
    assert told.keys() == {"backlog-target-disagrees", "intensive-metric-averaged"}
    assert told["backlog-target-disagrees"]["file"] == str(template)
    assert told["intensive-metric-averaged"]["severity"] == "warning"


@needs_helm
def test_full_scale_is_held_against_the_node_pools(run: Any) -> None:
    assert outcome(run(set_values=["web.autoscaling.maxReplicas=8"])) == ("pass", "")
    result = run(set_values=["web.autoscaling.maxReplicas=9"])
    assert outcome(result) == ("fail", "pool-limits-below-full-scale")
    assert "at least 18 cpu (9 x 2 for Deployment/shop-web)" in result["verdict"]["reason"]


@needs_helm
def test_a_chart_without_autoscalers_fails(run: Any, given: dict[str, Any]) -> None:
    Path(given["chart_path"], "templates", "scaler.yaml").unlink()
    assert outcome(run()) == ("fail", "scaled-object-missing")


@needs_helm
def test_a_workload_that_was_to_be_scaled_is_missed(run: Any) -> None:
    result = run(autoscaled_workloads=["shop-web", "shop-worker"])
    assert outcome(result) == ("fail", "scaled-object-missing")
    assert "shop-worker" in result["verdict"]["reason"]


@needs_helm
def test_autoscaling_that_is_switched_off_is_skipped_and_the_nodes_are_judged(run: Any) -> None:
    result = run(set_values=["web.autoscaling.enabled=false"])
    assert result["verdict"]["status"] == "pass"
    assert [skip["skip_class"] for skip in result["verdict"]["skips"]] == ["disabled_by_config"]
    assert result["verdict"]["examined"]["NodePools"] == 1
    wanted = run(set_values=["web.autoscaling.enabled=false"], autoscaled_workloads=["shop-web"])
    assert outcome(wanted) == ("fail", "scaled-object-missing")


@needs_helm
def test_replicas_beside_an_autoscaler_are_right_where_argo_cd_ignores_them(run: Any, given: dict[str, Any], tmp_path: Path) -> None:
    template = Path(given["chart_path"], "templates", "web.yaml")
    template.write_text(template.read_text().replace("spec:\n  selector", "spec:\n  replicas: 2\n  selector"))
    assert outcome(run()) == ("fail", "replicas-owned-twice")
    (tmp_path / "applications.yaml").write_text(APPLICATION)
    assert outcome(run(argocd_paths=[str(tmp_path / "applications.yaml")])) == ("pass", "")


@needs_helm
def test_older_versions_know_less(run: Any, given: dict[str, Any]) -> None:
    template = Path(given["chart_path"], "templates", "scaler.yaml")
    template.write_text(template.read_text().replace("  triggers:", "  initialCooldownPeriod: 60\n  triggers:"))
    assert outcome(run(fail_on="warning")) == ("pass", "")
    assert outcome(run(fail_on="warning", keda_version="2.13")) == ("fail", "keda-too-old")


@needs_helm
def test_what_is_switched_off_by_a_rule_is_told(run: Any) -> None:
    result = run(set_values=["web.autoscaling.maxReplicas=9"], disabled_rules=["pool-limits-below-full-scale"])
    assert result["verdict"]["status"] == "pass"
    assert result["verdict"]["evidence"]["rules_disabled"] == ["pool-limits-below-full-scale"]
    assert outcome(run(disabled_rules=["no-such-rule"])) == ("error", "unknown-rule")


@needs_helm
def test_a_warning_fails_where_warnings_do(run: Any, given: dict[str, Any]) -> None:
    template = Path(given["chart_path"], "templates", "scaler.yaml")
    template.write_text(template.read_text().replace("        threshold:", "        metricName: lag\n        threshold:"))
    tolerant = run()
    assert tolerant["verdict"]["status"] == "pass"
    assert list(tolerant["verdict"]["evidence"]["warnings"]) == ["trigger-parameter-unknown"]
    assert outcome(run(fail_on="warning")) == ("fail", "trigger-parameter-unknown")


def test_node_pools_are_judged_without_a_chart(run: Any, given: dict[str, Any]) -> None:
    pools = Path(given["karpenter_paths"][0])
    pools.write_text(POOLS.replace("operator: In, values: [amd64]", "operator: In, values: []"))
    result = run(chart_path="")
    assert outcome(result) == ("fail", "node-pool-refused")
    assert "autoscalers of the chart" in result["verdict"]["skips"][0]["reason"]


def test_files_without_node_pools_fail(run: Any, given: dict[str, Any]) -> None:
    Path(given["karpenter_paths"][0]).write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    assert outcome(run(chart_path="")) == ("fail", "no-node-pools")


def test_without_artifacts_it_is_skipped(run: Any) -> None:
    result = run(chart_path="", karpenter_paths=[])
    assert outcome(result) == ("skip", "dependency_missing")
    assert result["findings"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"chart_path": "/nowhere"}, "chart-missing"), ({"chart_path": "", "karpenter_paths": ["/nowhere"]}, "manifest-unreadable")],
)
@needs_helm
def test_a_path_to_nothing_is_an_error(run: Any, changes: dict[str, Any], code: str) -> None:
    result = run(**changes)
    assert outcome(result) == ("error", code)
    assert "/nowhere" in result["verdict"]["reason"]


@needs_helm
def test_without_a_parser_of_promql_queries_are_skipped_by_name_and_the_rest_is_judged(
    run: Any, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run()["verdict"]
    monkeypatch.setitem(sys.modules, "promql_parser", None)
    verdict = run()["verdict"]
    assert verdict["status"] == "pass", verdict["reason"]
    (skip,) = [one for one in verdict["skips"] if "promql-parser" in one["reason"]]
    left_out = set(skip["reason"].partition(":")[0].split(", "))
    judged = {rule for rule in whole["evidence"]["rules_examined"] if rule not in verdict["evidence"]["rules_examined"]}
    assert skip["skip_class"] == "dependency_missing"
    assert judged == left_out - {"scales-to-zero-by-own-metric"}
    assert "scaler-query-returns-many" in left_out
    others = run(disabled_rules=sorted(left_out))["verdict"]
    assert not any("promql-parser" in one["reason"] for one in others["skips"])


@needs_helm
def test_without_prometheus_triggers_no_parser_is_missed(run: Any, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    scaler = Path(given["chart_path"]) / "templates" / "scaler.yaml"
    scaler.write_text(scaler.read_text(encoding="utf-8").replace("type: prometheus", "type: solr"), encoding="utf-8")
    monkeypatch.setitem(sys.modules, "promql_parser", None)
    verdict = run(disabled_rules=["backlog-target-disagrees"])["verdict"]
    assert verdict["status"] == "pass", verdict["reason"]
    assert not any("promql-parser" in one["reason"] for one in verdict["skips"])


def test_every_rule_that_is_registered_is_held_root_causes_first() -> None:
    held = [rule.id for rule in rules()]
    assert sorted(held) == sorted(RULES.rules)
    assert held.index("scale-target-missing") < held.index("values-disagree") < held.index("fallback-hidden-by-nulls")
    assert held.index("fallback-hidden-by-nulls") < held.index("pool-limits-below-full-scale")

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check as a whole: what it says of a deployment that holds, what it assumed, and what it cannot tell."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import capacity
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.capacity.plans import arguments, inspected
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.capacity.test_measured import counted, serving

HELM = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
CHART = """\
{{- range $name, $explainer := .Values.explainers }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ $name }}}
spec:
  template: {spec: {containers: [{name: explainer, env: [{name: EXPLAINER_WORKERS, value: {{ $explainer.workers | quote }}}]}]}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: {{ $name }}}
spec:
  scaleTargetRef: {name: {{ $name }}}
  minReplicaCount: {{ $explainer.min }}
  maxReplicaCount: {{ $explainer.max }}
  triggers:
    - type: prometheus
      metricType: Value
      metadata: {query: max(explainer_queue_lag_seconds), threshold: {{ $explainer.lag | quote }}}
{{- end }}
"""
VALUES = """\
explainers:
  explainer-cpu: {workers: 4, min: 1, max: 6, lag: 1}
  explainer-gpu: {workers: 4, min: 1, max: 8, lag: 4}
"""
MEASURED = {"mean_seconds": 2.0, "p95_seconds": 3.0, "basis": "measured", "samples": 812, "origin": "load run 7"}


def test_a_deployment_that_holds_passes_and_says_what_was_assumed() -> None:
    verdict, findings = inspected(arguments(service_times={"token": MEASURED}))
    assert (verdict["status"], findings) == ("pass", [])
    assert verdict["examined"] == {"explainers": 2, "assumed service times": 1, "measured service times": 1, "rules": 8}
    assert verdict["evidence"]["service_times"] == {
        "sentence on explainer-cpu": {"basis": "assumed", "mean_seconds": 0.5, "p95_seconds": 0.8},
        "token on explainer-gpu": {"basis": "measured", "mean_seconds": 2.0, "p95_seconds": 3.0, "samples": 812, "origin": "load run 7"},
    }
    assert verdict["evidence"]["explainers"]["explainer-cpu"]["recommended"] == {"min_replicas": 1, "max_replicas": 6}
    assert verdict["evidence"]["rules_not_applicable"] == ["capacity-cold-start-breaks-slo"]
    assert verdict["metrics"] == {
        "attach_rate_at_saturation_ratio": pytest.approx(0.7),
        "explainer_cpu_recommended_min_replicas": 1,
        "explainer_cpu_recommended_max_replicas": 6,
        "explainer_gpu_recommended_min_replicas": 1,
        "explainer_gpu_recommended_max_replicas": 8,
    }


def test_the_curves_are_what_reports_plot() -> None:
    verdict, _findings = inspected(arguments())
    cpu, gpu = capacity.sizings(verdict)
    assert (cpu.name, cpu.basis, cpu.deployed, cpu.recommended, cpu.peak) == ("explainer-cpu", "assumed", (1, 6), (1, 6), 0.5)
    assert len(cpu.attach_rates) == 21
    assert cpu.saturation == pytest.approx(0.7)
    at_peak = dict(zip(gpu.attach_rates, zip(gpu.optimistic, gpu.conservative)))[0.5]
    assert at_peak == (4, 6)


@pytest.mark.parametrize("absent", ["workload", "explainers"])
def test_without_a_declaration_there_is_nothing_to_size(absent: str) -> None:
    verdict, _findings = inspected({**arguments(), absent: None})
    assert (verdict["status"], verdict["reason_code"]) == ("skip", "dependency_missing")
    assert f"no {absent}" in verdict["reason"]


def test_without_a_chart_the_bounds_must_be_stated() -> None:
    verdict, _findings = inspected(arguments(gpu={"max_replicas": None, "concurrency": None}))
    assert (verdict["status"], verdict["reason_code"]) == ("skip", "dependency_missing")
    assert "explainer-gpu: concurrency, max_replicas" in verdict["reason"]


@pytest.mark.parametrize(("samples", "status"), [(58, "inconclusive"), (59, "pass")])
def test_a_p95_of_too_few_samples_is_no_ground_to_judge_on(samples: int, status: str) -> None:
    verdict, findings = inspected(arguments(service_times={"token": {**MEASURED, "samples": samples}}, cpu={"max_replicas": 6}))
    assert (verdict["status"], findings) == (status, [])
    if status == "inconclusive":
        assert verdict["reason"] == "service time of token explanations on explainer-gpu: 58 of 59 samples needed"
        assert verdict["assertions"] == []


def test_too_few_samples_of_what_never_comes_do_not_matter() -> None:
    few = {**MEASURED, "samples": 3}
    verdict, _findings = inspected(
        arguments(service_times={"token": few}, workload={"token_fraction": 0.0}, slack=0.0, cpu={"max_replicas": 8})
    )
    assert verdict["status"] == "pass"


def test_a_start_of_unknown_length_is_not_taken_for_a_short_one() -> None:
    nobody = {"base_attach_rate": 0.0}
    verdict, _findings = inspected(arguments(workload=nobody, gpu={"min_replicas": 0, "cold_start_seconds": None}))
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "cold-start-unknown")


def test_a_burst_without_a_target_is_not_taken_for_drained() -> None:
    verdict, _findings = inspected(arguments(gpu={"backlog_seconds_target": None}))
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "backlog-target-unknown")


def test_nobody_attaching_is_served_by_nobody() -> None:
    zero = {"base_attach_rate": 0.0, "peak_attach_rate": 0.0}
    at_once = {"min_replicas": 0, "max_replicas": 3, "cold_start_seconds": 1.0}
    verdict, findings = inspected(arguments(workload=zero, cpu=at_once, gpu=at_once))
    assert (verdict["status"], findings) == ("pass", [])
    assert verdict["evidence"]["explainers"]["explainer-gpu"]["recommended"] == {"min_replicas": 0, "max_replicas": 1}


def test_running_explainers_are_asked_in_place_of_assumptions() -> None:
    durations = {"token": [2.0] * 200}
    with serving(counted(durations)) as urls:
        verdict, _findings = inspected(arguments(gpu={"metrics_urls": urls}, service_times={"token": None}))
    told = verdict["evidence"]["service_times"]["token on explainer-gpu"]
    assert (told["basis"], told["samples"], told["mean_seconds"]) == ("measured", 200, pytest.approx(2.0))
    assert verdict["examined"]["measured service times"] == 1


def test_running_explainers_that_explained_little_are_not_judged_by() -> None:
    with serving(counted({"token": [2.0] * 12})) as urls:
        verdict, _findings = inspected(arguments(gpu={"metrics_urls": urls}))
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "too-few-samples")


@pytest.mark.parametrize(
    ("changes", "reason_code", "says"),
    [
        ({"service_times": {"token": None}}, "service-time-unknown", "nothing says how long explainer-gpu works on a token explanation"),
        ({"target_utilisation": 1.5}, "bad-argument", "target_utilisation is 1.5"),
        ({"cpu": {"concurrency": 0}}, "bad-argument", "explainers[explainer-cpu].concurrency is 0"),
        ({"disabled_rules": ["capacity-max"]}, "unknown-rule", "there is no rule capacity-max"),
    ],
)
def test_what_cannot_be_computed_with_is_an_error(changes: dict[str, Any], reason_code: str, says: str) -> None:
    with pytest.raises(CheckError) as fault:
        inspected(arguments(**changes))
    assert fault.value.reason_code == reason_code
    assert says in fault.value.reason


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: explainers, version: 1.0.0}\n")
    (tmp_path / "values.yaml").write_text(VALUES)
    (tmp_path / "templates/explainers.yaml").write_text(CHART)
    return tmp_path


# What the chart states is left out of the arguments, or wrong in them: the chart is what is deployed.
STATED_ELSEWHERE = {"cpu": {"concurrency": 1, "max_replicas": 1}, "gpu": dict.fromkeys(("concurrency", "min_replicas", "max_replicas"))}


@pytest.mark.skipif(HELM is None, reason="no helm: python -m lab.helm --into .venv/bin")
def test_the_chart_says_what_is_deployed(chart: Path) -> None:
    verdict, findings = inspected(arguments(**STATED_ELSEWHERE, chart_path=str(chart)))
    assert (verdict["status"], findings) == ("pass", [])
    assert verdict["evidence"]["rendered_objects"] == 4
    assert verdict["evidence"]["explainers"]["explainer-cpu"]["stated_by"] == {
        "min_replicas": "ScaledObject/explainer-cpu spec.minReplicaCount",
        "max_replicas": "ScaledObject/explainer-cpu spec.maxReplicaCount",
        "concurrency": "Deployment/explainer-cpu spec.template.spec.containers.0.env.0.value",
        "backlog_seconds_target": "ScaledObject/explainer-cpu spec.triggers.0.metadata.threshold",
    }
    assert verdict["evidence"]["explainers"]["explainer-gpu"]["deployed"] == {
        "min_replicas": 1,
        "max_replicas": 8,
        "concurrency": 4,
        "backlog_seconds_target": 4.0,
    }


@pytest.mark.skipif(HELM is None, reason="no helm: python -m lab.helm --into .venv/bin")
def test_a_finding_names_the_object_and_the_template_that_bound_it(chart: Path) -> None:
    changes = {**STATED_ELSEWHERE, "set_values": ["explainers.explainer-cpu.max=5"]}
    verdict, findings = inspected(arguments(**changes, chart_path=str(chart)))
    assert (verdict["status"], verdict["reason_code"]) == ("fail", "capacity-max-too-small")
    assert (findings[0]["object"], findings[0]["path"]) == ("ScaledObject/explainer-cpu", ["spec", "maxReplicaCount"])
    assert findings[0]["file"] == str(chart / "templates/explainers.yaml")


@pytest.mark.skipif(HELM is None, reason="no helm: python -m lab.helm --into .venv/bin")
def test_a_number_that_the_arguments_state_is_told_to_be_theirs(chart: Path) -> None:
    changes = {"cpu": {"concurrency": 4}, "gpu": {"concurrency": 5}}
    verdict, _findings = inspected(arguments(**changes, chart_path=str(chart), concurrency_env="WORKERS"))
    gpu = verdict["evidence"]["explainers"]["explainer-gpu"]
    assert (gpu["deployed"]["concurrency"], gpu["stated_by"]["concurrency"]) == (5, "arguments")
    assert gpu["stated_by"]["max_replicas"] == "ScaledObject/explainer-gpu spec.maxReplicaCount"


@pytest.mark.skipif(HELM is None, reason="no helm: python -m lab.helm --into .venv/bin")
def test_workers_that_nobody_states_are_asked_for(chart: Path) -> None:
    with pytest.raises(CheckError) as fault:
        inspected(arguments(**STATED_ELSEWHERE, chart_path=str(chart), concurrency_env="WORKERS"))
    assert (fault.value.reason_code, "explainers[explainer-gpu]" in fault.value.reason) == ("concurrency-unknown", True)


def test_without_helm_the_chart_is_not_guessed_at(chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(chart))
    monkeypatch.setattr(sys, "executable", str(chart / "python"))
    verdict, _findings = inspected(arguments(chart_path=str(chart)))
    assert (verdict["status"], verdict["reason_code"]) == ("skip", "dependency_missing")
    assert "no helm" in verdict["reason"]

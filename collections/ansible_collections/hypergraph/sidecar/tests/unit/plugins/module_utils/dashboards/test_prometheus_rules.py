# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule files and PrometheusRule objects, and the queries of scalers."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.prometheus_rules import read_rules
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.scaled_objects import scaler_queries
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Place

PLAIN = """\
groups:
  - name: g
    rules:
      - record: a:b
        expr: sum(a)
        labels: {tier: x}
      - alert: A
        expr: |
          a:b > 1
        annotations:
          summary: "{{ $labels.x }}"
"""
OPERATOR = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: r}\nspec:\n" + "".join(
    f"  {line}\n" for line in PLAIN.splitlines()
)
OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"


@pytest.mark.parametrize("text", [PLAIN, OPERATOR, OTHER + "---\n" + OPERATOR], ids=["plain", "operator", "both"])
def test_rules_of_both_forms(tmp_path: Path, text: str) -> None:
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    recording, alert = read_rules([str(tmp_path)])
    assert recording.query is not None
    assert (recording.query.subject, recording.query.records, dict(recording.query.extra_labels)) == (
        "recording rule a:b",
        "a:b",
        {"tier": "x"},
    )
    assert alert.query is not None
    assert (alert.query.subject, alert.query.written.strip(), alert.is_alert) == ("alert A", "a:b > 1", True)
    assert alert.query.templates == {"annotation summary": "{{ $labels.x }}"}
    assert alert.place.line == text[: text.index("- alert")].count("\n") + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [(OTHER, "is no rule file"), ("groups: []\n---\na: 1\n", "is no rule file"), ("a: [", "a.yaml"), ("", "a.yaml")],
)
def test_what_is_no_rule_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CheckError, match=said):
        read_rules([str(tmp_path / "a.yaml")])


def test_a_directory_without_rules(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OTHER, encoding="utf-8")
    with pytest.raises(CheckError, match="holds no rules"):
        read_rules([str(tmp_path)])


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("{expr: a}", "neither a text as alert"),
        ("{alert: A, record: a, expr: a}", "both alert and record"),
        ("{alert: 5, expr: a}", "a name that is no text"),
        ("{alert: A}", "no query as expr"),
        ("{alert: A, expr: true}", "no query as expr"),
        ("text", "neither a text as alert"),
    ],
)
def test_rules_that_prometheus_refuses(tmp_path: Path, rule: str, problem: str) -> None:
    (tmp_path / "a.yaml").write_text(f"groups: [{{name: g, rules: [{rule}]}}]\n", encoding="utf-8")
    (entry,) = read_rules([str(tmp_path / "a.yaml")])
    assert problem in entry.problem
    assert entry.query is None


def test_a_number_is_a_query(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("groups: [{name: g, rules: [{record: one, expr: 1}]}]\n", encoding="utf-8")
    (entry,) = read_rules([str(tmp_path / "a.yaml")])
    assert entry.query is not None
    assert (entry.query.written, entry.query.problem) == ("1", "")


def test_queries_of_scalers() -> None:
    triggers = [
        {"type": "cpu", "metadata": {"value": "50"}},
        {"type": "prometheus", "name": "lag", "metadata": {"query": "max(a)", "threshold": "1"}},
        {"type": "prometheus", "metadata": {"query": 5}},
        {"type": "prometheus"},
        "text",
    ]
    scaled = Object({"kind": "ScaledObject", "metadata": {"name": "s"}, "spec": {"triggers": triggers}}, Place("chart.yaml", 3))
    other = Object({"kind": "Deployment", "spec": {"triggers": triggers}}, Place("chart.yaml"))
    assert [(query.subject, query.written) for query in scaler_queries([other, scaled])] == [
        ("scaler ScaledObject/s, trigger lag", "max(a)")
    ]

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module live_check as Ansible runs it, on a chart that helm renders and on what was read of a cluster."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.live.digests import digested
from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import MAX_ITEMS
from ansible_collections.hypergraph.sidecar.plugins.modules import live_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

HELM = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
needs_helm = pytest.mark.skipif(HELM is None, reason="there is no helm to render with")
PASSWORD = "correct-horse-battery"
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "templates/all.yaml": f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
data: {{LEVEL: info}}
---
apiVersion: v1
kind: Secret
metadata: {{name: keys}}
stringData: {{password: {PASSWORD}}}
""",
}
ITEMS = [
    {"api_version": "v1", "kind": "ConfigMap", "namespace": "shop"},
    {"api_version": "v1", "kind": "Secret", "namespace": "shop", "name": "keys"},
]


def reads(level: str = "info", password: str = PASSWORD, **more: Any) -> list[dict[str, Any]]:
    settings = {"kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}, "data": {"LEVEL": level}}
    import base64

    keys = {
        "kind": "Secret",
        "metadata": {"name": "keys", "namespace": "shop"},
        "data": {"password": base64.b64encode(password.encode()).decode()},
    }
    return [{"item": item, "resources": [digested(one)], **more} for item, one in zip(ITEMS, (settings, keys))]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Runs the module with changes of the arguments, and returns what it returned."""
    for name, text in CHART.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    given = {"chart_path": str(tmp_path), "release": "shop", "namespace": "shop", "helm_path": HELM}

    def run_with(**changes: Any) -> dict[str, Any]:
        return run_main(live_check.main, {**given, **changes}, monkeypatch, capsys)

    return run_with


def outcome(result: dict[str, Any]) -> tuple[str, str]:
    return (result["verdict"]["status"], result["verdict"]["reason_code"])


@needs_helm
def test_a_cluster_that_runs_what_is_rendered_passes(run: Any) -> None:
    result = run(reads=reads())
    assert outcome(result) == ("pass", ""), result["msg"]
    assert result["verdict"]["check"] == "deploy_artifacts"
    assert result["verdict"]["examined"] == {"objects looked for": 2, "live objects": 2, "rules": 3}
    assert result["verdict"]["evidence"]["live_by_kind"] == {"ConfigMap": 1, "Secret": 1}


@needs_helm
@pytest.mark.parametrize("changed", [{"level": "debug-of-the-night"}, {"password": "someone-elses-password"}])
def test_drift_fails_and_no_value_is_in_the_result(run: Any, changed: dict[str, str]) -> None:
    result = run(reads=reads(**changed))
    assert outcome(result) == ("fail", "live-field-differs")
    assert [finding["observed"] for finding in result["findings"]] == ["another value"]
    said = str({key: value for key, value in result.items() if key != "invocation"})
    assert not any(value in said for value in (PASSWORD, *changed.values()))


@needs_helm
def test_without_reads_it_tells_what_to_read(run: Any) -> None:
    result = run()
    assert outcome(result) == ("skip", "dependency_missing")
    assert result["verdict"]["evidence"]["to_read"] == {"v1": {"ConfigMap": ["shop"], "Secret": ["shop/keys"]}}


@needs_helm
def test_more_than_can_be_read_is_an_error(run: Any, tmp_path: Path) -> None:
    many = "".join(f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s{number}}}\n" for number in range(MAX_ITEMS + 1))
    (tmp_path / "templates/all.yaml").write_text(many)
    assert outcome(run()) == ("error", "too-much-to-read")


@needs_helm
def test_nothing_live_fails(run: Any) -> None:
    result = run(reads=[{"item": item, "resources": []} for item in ITEMS])
    assert outcome(result) == ("fail", "live-object-missing")


@needs_helm
def test_a_part_that_cannot_be_read_is_inconclusive(run: Any) -> None:
    result = run(reads=[reads()[0], {"item": ITEMS[1], "msg": "secrets is forbidden"}])
    assert outcome(result) == ("inconclusive", "live-unread")
    assert "v1 Secret/keys in shop cannot be read: secrets is forbidden" in result["verdict"]["reason"]


@needs_helm
@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Connection refused", ("error", "cluster-unreadable")),
        ("Failed to import the required Python library (kubernetes) on a host", ("skip", "dependency_missing")),
    ],
)
def test_a_cluster_that_cannot_be_read_is_no_pass(run: Any, message: str, told: tuple[str, str]) -> None:
    result = run(reads=[{"item": item, "msg": message} for item in ITEMS])
    assert outcome(result) == told
    assert message in result["verdict"]["reason"]


@needs_helm
def test_reads_of_another_shape_are_refused(run: Any) -> None:
    assert outcome(run(reads=[{"resources": []}])) == ("error", "reads-invalid")


@needs_helm
def test_no_reads_at_all_are_no_pass(run: Any) -> None:
    assert outcome(run(reads=[]))[0] in ("fail", "inconclusive")


def test_without_a_chart_it_is_skipped(run: Any) -> None:
    assert outcome(run(chart_path="", reads=reads())) == ("skip", "dependency_missing")

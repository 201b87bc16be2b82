# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of live_check in real plays. What reads the cluster stands in for kubernetes.core, which this collection does not need."""

from __future__ import annotations

import base64
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.action.live_check import _reason
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.action.playbooks import COLLECTIONS, Play, play, tasks

HELM = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
needs_helm = pytest.mark.skipif(HELM is None, reason="there is no helm to render with")
PASSWORD = "correct-horse-battery"
ENCODED = base64.b64encode(PASSWORD.encode()).decode()
LATER = "battery-staple-horse"
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "templates/all.yaml": f"""
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: keys}}
data: {{password: {ENCODED}}}
""",
}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"app": "web"}}}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "keys", "namespace": "shop", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": ENCODED}},
    "data": {"password": ENCODED},
}
# Answers as the real one does: all objects of a kind in a namespace or the one of a name, and a failure where the cluster is away.
READER = """import json
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def main():
    names = ("api_version", "kind", "namespace", "name", "kubeconfig", "context")
    module = AnsibleModule(argument_spec={name: {"type": "str"} for name in names}, supports_check_mode=True)
    asked = module.params
    if not Path(asked["kubeconfig"]).exists():
        raise OSError("Connection refused")
    objects = json.loads(Path(asked["kubeconfig"]).read_text())
    found = [
        one
        for one in objects
        if (one["apiVersion"], one["kind"], one["metadata"]["namespace"]) == (asked["api_version"], asked["kind"], asked["namespace"])
        and asked["name"] in (None, one["metadata"]["name"])
    ]
    module.exit_json(changed=False, api_found=True, resources=found)


main()
"""


def live(directory: Path, *objects: dict[str, Any], installed: bool = True, away: bool = False, **arguments: Any) -> tuple[Play, Any]:
    """Run the check against a cluster of these objects; what it returned."""
    for name, text in CHART.items():
        (directory / "chart" / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / "chart" / name).write_text(text)
    reader = directory / "collections/ansible_collections/kubernetes/core/plugins/modules/k8s_info.py"
    if installed:
        reader.parent.mkdir(parents=True, exist_ok=True)
        reader.write_text(READER)
    if not away:
        (directory / "cluster.json").write_text(json.dumps(objects))
    given = {
        "chart_path": str(directory / "chart"),
        "release": "shop",
        "namespace": "shop",
        "helm_path": HELM,
        "kubeconfig": str(directory / "cluster.json"),
        **arguments,
    }
    written = {"content": "{{ found | to_json }}", "dest": str(directory / "found.json"), "mode": "0600"}
    steps = ({"hypergraph.sidecar.live_check": given, "register": "found"}, {"ansible.builtin.copy": written})
    path = f"{directory / 'collections'}:{COLLECTIONS}"
    ran = play(directory, [tasks("localhost", *steps)], "-vvv", ANSIBLE_COLLECTIONS_PATH=path)
    assert ran.status == 0, ran.output
    return ran, json.loads((directory / "found.json").read_text())


@needs_helm
def test_the_cluster_is_read_and_no_value_of_a_secret_is_handed_on(tmp_path: Path) -> None:
    ran, result = live(tmp_path, SERVICE, SECRET)
    assert result["msg"] == "pass: 3 assertions hold; examined 2 objects looked for, 2 live objects, 3 rules"
    assert result["verdict"]["host"] == "localhost"
    assert "digest:100000:" in ran.output, "-vvv tells what the module was given"
    assert ENCODED not in ran.output and PASSWORD not in ran.output


@needs_helm
def test_drift_of_a_secret_is_told_and_not_shown(tmp_path: Path) -> None:
    changed = {**SECRET, "data": {"password": base64.b64encode(LATER.encode()).decode()}}
    ran, result = live(tmp_path, SERVICE, changed)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("fail", "live-field-differs")
    (finding,) = result["findings"]
    assert (finding["object"], finding["path"], finding["observed"]) == ("Secret/keys", ["data", "password"], "another value")
    assert not any(value in ran.output for value in (*changed["data"].values(), LATER))


@needs_helm
def test_without_the_collection_it_is_skipped(tmp_path: Path) -> None:
    _ran, result = live(tmp_path, installed=False)
    verdict = result["verdict"]
    assert (verdict["status"], verdict["reason_code"], verdict["host"]) == ("skip", "dependency_missing", "localhost")
    assert "kubernetes.core.k8s_info" in verdict["reason"]


@needs_helm
def test_a_cluster_that_is_away_is_an_error(tmp_path: Path) -> None:
    _ran, result = live(tmp_path, away=True)
    verdict = result["verdict"]
    assert (verdict["status"], verdict["reason_code"]) == ("error", "cluster-unreadable")
    assert "Connection refused" in verdict["reason"]


@needs_helm
def test_what_was_read_elsewhere_is_digested_too(tmp_path: Path) -> None:
    reads = [
        {"item": {"api_version": "v1", "kind": "Service", "namespace": "shop"}, "resources": [SERVICE]},
        {"item": {"api_version": "v1", "kind": "Secret", "namespace": "shop", "name": "keys"}, "resources": [SECRET]},
    ]
    _ran, result = live(tmp_path, installed=False, reads=reads)
    assert result["verdict"]["status"] == "pass", result["msg"]


def test_a_chart_that_is_not_there_is_told_before_anything_is_read(tmp_path: Path) -> None:
    _ran, result = live(tmp_path, away=True, chart_path=str(tmp_path / "nowhere"), helm_path=sys.executable)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "chart-missing")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"msg": "forbidden"}, "forbidden"),
        ({"msg": "MODULE FAILURE", "module_stderr": "Traceback:\n  line\nOSError: refused\n"}, "OSError: refused"),
        ({"msg": "Module failed.", "exception": SimpleNamespace(event=SimpleNamespace(msg="refused"))}, "refused"),
        ({"exception": "(traceback unavailable)"}, "it gave no answer"),
    ],
)
def test_why_the_reader_failed(answer: dict[str, Any], reason: str) -> None:
    assert _reason(answer) == reason

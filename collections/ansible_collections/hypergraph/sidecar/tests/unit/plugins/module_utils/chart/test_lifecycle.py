# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is probed wrongly, or is cut off at its end, is found; what only does it in another way is not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.lifecycle import RULES
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chart.served import (
    CONTAINERS,
    COURIER,
    POD,
    STORE,
    WEB,
    release,
    told,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

FIRST = (*CONTAINERS, 0)
PRE_STOP = (*FIRST, "lifecycle", "preStop")
POST_START = (*FIRST, "lifecycle", "postStart")
GRACE = (*POD, "terminationGracePeriodSeconds")
SIDECAR = {"name": "sidecar", "restartPolicy": "Always", "ports": [{"name": "http", "containerPort": 8080}]}
NO_PORTS: list[Edit] = [
    (WEB, (*FIRST, "ports"), GONE),
    ("Service/web", ("spec", "ports", 0, "targetPort"), 8080),
    (WEB, (*FIRST, "readinessProbe"), GONE),
]


def command(*words: str) -> dict[str, Any]:
    return {"exec": {"command": list(words)}}


VIOLATIONS: list[tuple[str, list[Edit], dict[str, Any], str]] = [
    ("readiness-missing", [(WEB, (*FIRST, "readinessProbe"), GONE)], {}, "spec.template.spec.containers[0]: expected a readinessProbe"),
    ("readiness-missing", [(STORE, (*FIRST, "readinessProbe"), {})], {}, "container store has none"),
    ("readiness-missing", NO_PORTS, {}, "container web has none"),
    ("readiness-missing", [(WEB, (*POD, "initContainers", 1), SIDECAR)], {}, "container sidecar has none"),
    ("readiness-missing", [("ServiceMonitor/store", (), GONE)], {}, "container exporter has none"),
    (
        "readiness-missing",
        [(WEB, (*FIRST, "readinessProbe"), GONE), ("Service/web", ("spec", "ports"), [{"name": "metrics", "port": 9090}])],
        {},
        "container web has none",
    ),
    ("liveness-missing", [(WEB, (*FIRST, "livenessProbe"), GONE)], {}, "a livenessProbe"),
    ("probe-port-missing", [(WEB, (*FIRST, "readinessProbe", "httpGet", "port"), "web")], {}, 'container web has no port "web"'),
    ("probe-port-missing", [(STORE, (*FIRST, "livenessProbe", "tcpSocket", "port"), "metrics")], {}, "livenessProbe.tcpSocket.port"),
    ("probe-port-missing", [(WEB, (*FIRST, "ports"), GONE)], {}, "startupProbe.httpGet.port"),
    ("probe-port-missing", [(WEB, (*FIRST, "readinessProbe", "httpGet", "port"), "8080")], {}, 'container web has no port "8080"'),
    (
        "probe-port-missing",
        [(WEB, (*FIRST, "ports", 0, "name"), "8080"), (WEB, (*FIRST, "readinessProbe", "httpGet", "port"), "8080")],
        {},
        'no port "8080"',
    ),
    ("probe-port-missing", [(WEB, PRE_STOP, {"httpGet": {"path": "/drain", "port": "8080"}})], {}, "lifecycle.preStop.httpGet.port"),
    ("probe-port-missing", [(WEB, POST_START, {"httpGet": {"path": "/warm", "port": "web"}})], {}, 'container web has no port "web"'),
    ("probe-port-missing", [(WEB, (*FIRST, "startupProbe", "httpGet", "port"), "8080")], {}, "startupProbe.httpGet.port"),
    ("liveness-before-readiness", [(STORE, (*FIRST, "livenessProbe", "failureThreshold"), GONE)], {}, "restarted after 30 s"),
    ("liveness-before-readiness", [(WEB, (*FIRST, "livenessProbe", "periodSeconds"), 2)], {}, "restarted after 6 s, taken out after 15 s"),
    ("pre-stop-outlasts-grace", [(WEB, (*PRE_STOP, "sleep", "seconds"), 60)], {}, "it sleeps 60 s of 60 s"),
    ("pre-stop-outlasts-grace", [(WEB, GRACE, GONE), (WEB, PRE_STOP, command("sleep", "45"))], {}, "45 s of 30 s"),
    ("pre-stop-outlasts-grace", [(WEB, GRACE, 0)], {}, "10 s of 0 s"),
    (
        "pre-stop-outlasts-grace",
        [(WEB, PRE_STOP, command("/bin/sh", "-ec", "/bin/sleep 90s; kill -QUIT 1"))],
        {},
        "it sleeps 90 s of 60 s",
    ),
    ("grace-period-too-short", [(COURIER, GRACE, 19)], {}, "at least 20 s, observed 19 s"),
    ("grace-period-too-short", [(WEB, (*PRE_STOP, "sleep", "seconds"), 11)], {}, "at least 61 s, observed 60 s"),
    ("grace-period-too-short", [], {"stage_p99_seconds": {"*": 31, "cour*": 1}}, "Deployment/courier"),
    ("grace-period-too-short", [], {"stage_p99_seconds": {"store": 30.5}}, "at least 30.5 s, observed 30 s"),
    ("progress-deadline-too-short", [(WEB, ("spec", "progressDeadlineSeconds"), 300)], {}, "more than 300 s, observed 300 s"),
    (
        "progress-deadline-too-short",
        [(WEB, ("spec", "progressDeadlineSeconds"), GONE), (WEB, (*FIRST, "startupProbe", "initialDelaySeconds"), 301)],
        {},
        "more than 601 s, observed 600 s",
    ),
    ("progress-deadline-too-short", [(WEB, ("spec", "minReadySeconds"), 400)], {}, "more than 700 s"),
]

NEAR_MISSES: list[tuple[str, list[Edit], dict[str, Any]]] = [
    ("readiness-missing", [(WEB, (*POD, "initContainers", 0, "ports"), [{"name": "http", "containerPort": 8080}])], {}),
    ("readiness-missing", [(WEB, (*FIRST, "readinessProbe"), GONE), ("Service/web", ("spec", "publishNotReadyAddresses"), True)], {}),
    ("readiness-missing", [(WEB, (*FIRST, "readinessProbe"), GONE), ("Service/web", ("spec", "type"), "ExternalName")], {}),
    ("readiness-missing", [(WEB, (*FIRST, "readinessProbe"), GONE), ("Service/web", (), GONE)], {}),
    # Of several containers without ports nobody knows which one listens.
    ("readiness-missing", [*NO_PORTS, (WEB, (*CONTAINERS, 1), {"name": "other"})], {}),
    ("readiness-missing", [(WEB, (*CONTAINERS, 1), {"name": "helper", "ports": [{"containerPort": 7070}]})], {}),
    ("readiness-missing", [(STORE, ("kind",), "Job"), (STORE, (*FIRST, "readinessProbe"), GONE)], {}),
    ("liveness-missing", [(COURIER, (*FIRST, "ports", 0, "containerPort"), 8080)], {}),
    ("probe-port-missing", [(WEB, (*FIRST, "readinessProbe", "httpGet", "port"), 8081)], {}),
    ("probe-port-missing", [(WEB, (*FIRST, "readinessProbe"), {"grpc": {"port": 8080}})], {}),
    ("probe-port-missing", [(WEB, PRE_STOP, {"httpGet": {"path": "/drain", "port": "http"}})], {}),
    ("probe-port-missing", [(WEB, POST_START, {"httpGet": {"path": "/warm", "port": 8081}})], {}),
    (
        "liveness-before-readiness",
        [(WEB, (*FIRST, "livenessProbe"), {"httpGet": {"path": "/alive", "port": "http"}, "periodSeconds": 1})],
        {},
    ),
    ("liveness-before-readiness", [(WEB, (*FIRST, "livenessProbe"), {"tcpSocket": {"port": "http"}, "periodSeconds": 1})], {}),
    ("liveness-before-readiness", [(WEB, (*FIRST, "livenessProbe", "periodSeconds"), 6)], {}),
    ("pre-stop-outlasts-grace", [(WEB, (*PRE_STOP, "sleep", "seconds"), 59)], {}),
    ("pre-stop-outlasts-grace", [(WEB, PRE_STOP, command("/bin/sh", "-c", "test -f /drain && sleep 600"))], {}),
    ("pre-stop-outlasts-grace", [(WEB, PRE_STOP, command("echo", "sleep 600"))], {}),
    ("pre-stop-outlasts-grace", [(WEB, PRE_STOP, command("sleep", "5m"))], {}),
    ("pre-stop-outlasts-grace", [(WEB, PRE_STOP, command("sleepless", "600"))], {}),
    ("grace-period-too-short", [(COURIER, GRACE, 20)], {}),
    ("grace-period-too-short", [(STORE, GRACE, 0)], {}),
    ("progress-deadline-too-short", [(WEB, ("spec", "progressDeadlineSeconds"), 301)], {}),
    ("progress-deadline-too-short", [(WEB, (*FIRST, "startupProbe"), GONE), (WEB, ("spec", "progressDeadlineSeconds"), 10)], {}),
]


@pytest.mark.parametrize(("rule", "edits", "demands", "said"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], demands: dict[str, Any], said: str) -> None:
    found = told(RULES, rule, release(*edits, **demands))
    assert any(said in line for line in found), found


@pytest.mark.parametrize(("rule", "edits", "demands"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit], demands: dict[str, Any]) -> None:
    assert told(RULES, rule, release(*edits, **demands)) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert {rule.id for rule in RULES} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}

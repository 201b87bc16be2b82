# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control of the Pod Security Standards, and what is allowed right beside it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.pod_security import RULES
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chart.served import CONTAINERS, POD, STORE, WEB, release, told
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

CONTEXT = (*CONTAINERS, 0, "securityContext")
OF_POD = (*POD, "securityContext")
TOKEN = (*POD, "automountServiceAccountToken")
ANNOTATIONS = ("spec", "template", "metadata", "annotations")
APPARMOR = "container.apparmor.security.beta.kubernetes.io/web"
ACCOUNT: Edit = ("ServiceAccount/web", ("automountServiceAccountToken",), GONE)


def bound(kind: str, name: str, **more: str) -> Edit:
    body = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b"},
        "subjects": [{"kind": kind, "name": name, **more}],
    }
    return ("RoleBinding/b", (), body)


VIOLATIONS: list[tuple[str, list[Edit], dict[str, Any], str]] = [
    ("pod-breaks-baseline", [(WEB, (*POD, "hostNetwork"), True)], {}, "hostNetwork: false"),
    ("pod-breaks-baseline", [(WEB, (*POD, "hostPID"), True)], {"pod_security": "baseline"}, "hostPID: false"),
    ("pod-breaks-baseline", [(WEB, (*POD, "hostIPC"), True)], {}, "hostIPC: false"),
    ("pod-breaks-baseline", [(WEB, (*POD, "volumes", 0), {"name": "logs", "hostPath": {"path": "/var"}})], {}, "volume logs is a path"),
    ("pod-breaks-baseline", [(WEB, (*CONTEXT, "privileged"), True)], {}, "privileged: false"),
    ("pod-breaks-baseline", [(WEB, (*CONTEXT, "capabilities", "add"), ["NET_ADMIN", "KILL"])], {}, "observed NET_ADMIN"),
    ("pod-breaks-baseline", [(WEB, (*CONTEXT, "procMount"), "Unmasked")], {}, "procMount: Default"),
    ("pod-breaks-baseline", [(WEB, (*CONTEXT, "seccompProfile"), {"type": "Unconfined"})], {}, "a seccomp profile"),
    ("pod-breaks-baseline", [(WEB, (*OF_POD, "seccompProfile", "type"), "Unconfined")], {}, "spec.template.spec.securityContext"),
    ("pod-breaks-baseline", [(WEB, (*OF_POD, "appArmorProfile"), {"type": "Unconfined"})], {}, "an AppArmor profile"),
    ("pod-breaks-baseline", [(WEB, ANNOTATIONS, {APPARMOR: "unconfined"})], {}, "an AppArmor profile"),
    ("pod-breaks-baseline", [(WEB, (*CONTEXT, "seLinuxOptions"), {"type": "spc_t"})], {}, "spc_t"),
    ("pod-breaks-baseline", [(WEB, (*OF_POD, "seLinuxOptions"), {"user": "system_u"})], {}, "system_u"),
    ("pod-breaks-baseline", [(WEB, (*OF_POD, "sysctls"), [{"name": "kernel.msgmax", "value": "1"}])], {}, "kernel.msgmax"),
    ("pod-breaks-baseline", [(WEB, (*CONTAINERS, 0, "ports", 0, "hostPort"), 80)], {}, "no hostPort, observed 80"),
    ("pod-breaks-restricted", [(WEB, (*CONTEXT, "allowPrivilegeEscalation"), GONE)], {}, "nothing said for container web"),
    ("pod-breaks-restricted", [(WEB, (*POD, "initContainers", 0, "securityContext"), GONE)], {}, "for container migrate"),
    ("pod-breaks-restricted", [(WEB, (*CONTEXT, "runAsNonRoot"), False)], {}, "containers[0].securityContext.runAsNonRoot"),
    ("pod-breaks-restricted", [(WEB, (*OF_POD, "runAsNonRoot"), GONE)], {}, "runAsNonRoot: true, observed nothing said"),
    (
        "pod-breaks-restricted",
        [(STORE, (*OF_POD, "runAsNonRoot"), False), *((STORE, (*CONTAINERS, n, "securityContext", "runAsNonRoot"), True) for n in (0, 1))],
        {},
        "spec.template.spec.securityContext.runAsNonRoot",
    ),
    ("pod-breaks-restricted", [(WEB, (*OF_POD, "runAsUser"), 0)], {}, "a user other than 0"),
    ("pod-breaks-restricted", [(WEB, (*CONTEXT, "runAsUser"), 0)], {}, "0 for container web"),
    ("pod-breaks-restricted", [(WEB, (*OF_POD, "seccompProfile"), GONE)], {}, "seccompProfile.type: RuntimeDefault"),
    ("pod-breaks-restricted", [(WEB, (*CONTEXT, "capabilities", "drop"), ["NET_RAW"])], {}, "capabilities.drop: [ALL]"),
    ("pod-breaks-restricted", [(WEB, (*CONTEXT, "capabilities", "add"), ["KILL"])], {}, "at most NET_BIND_SERVICE, observed KILL"),
    ("pod-breaks-restricted", [(WEB, (*POD, "volumes", 0), {"name": "a", "nfs": {}})], {}, "a volume of a restricted kind, observed nfs"),
    ("root-filesystem-writable", [(WEB, (*CONTEXT, "readOnlyRootFilesystem"), GONE)], {}, "container web can write"),
    ("token-mounted-unused", [ACCOUNT], {}, "a token that nothing needs"),
    ("token-mounted-unused", [(WEB, TOKEN, True)], {}, "Deployment/web"),
    ("token-mounted-unused", [(STORE, TOKEN, GONE)], {}, "StatefulSet/store"),
    ("token-mounted-unused", [ACCOUNT, bound("ServiceAccount", "web", namespace="other")], {}, "Deployment/web"),
    ("token-mounted-unused", [ACCOUNT, bound("User", "web")], {}, "Deployment/web"),
]

NEAR_MISSES: list[tuple[str, list[Edit], dict[str, Any]]] = [
    ("pod-breaks-baseline", [(WEB, (*POD, "hostNetwork"), False)], {}),
    ("pod-breaks-baseline", [(WEB, (*POD, "hostNetwork"), True)], {"pod_security": "privileged"}),
    ("pod-breaks-baseline", [(WEB, (*CONTEXT, "capabilities", "add"), ["KILL", "CHOWN"])], {}),
    ("pod-breaks-baseline", [(WEB, (*CONTEXT, "procMount"), "Default")], {}),
    ("pod-breaks-baseline", [(WEB, (*CONTEXT, "seLinuxOptions"), {"type": "container_t", "level": "s0:c1,c2"})], {}),
    ("pod-breaks-baseline", [(WEB, (*OF_POD, "sysctls"), [{"name": "net.ipv4.tcp_syncookies", "value": "1"}])], {}),
    ("pod-breaks-baseline", [(WEB, (*CONTAINERS, 0, "ports", 0, "hostPort"), 0)], {}),
    ("pod-breaks-baseline", [(WEB, ANNOTATIONS, {APPARMOR: "localhost/web", "note": "unconfined"})], {}),
    ("pod-breaks-restricted", [(WEB, CONTEXT, GONE)], {"pod_security": "baseline"}),
    ("pod-breaks-restricted", [(WEB, (*CONTEXT, "capabilities", "add"), ["NET_BIND_SERVICE"])], {}),
    ("pod-breaks-restricted", [(WEB, (*CONTEXT, "runAsNonRoot"), None), (WEB, (*CONTEXT, "seccompProfile"), None)], {}),
    (
        "pod-breaks-restricted",
        [(STORE, (*OF_POD, "runAsNonRoot"), GONE), *((STORE, (*CONTAINERS, n, "securityContext", "runAsNonRoot"), True) for n in (0, 1))],
        {},
    ),
    ("pod-breaks-restricted", [(WEB, (*CONTEXT, "seccompProfile"), {"type": "Localhost", "localhostProfile": "a.json"})], {}),
    ("pod-breaks-restricted", [(WEB, (*OF_POD, "runAsUser"), 10001)], {}),
    # Each of them is Baseline's to say.
    ("pod-breaks-restricted", [(WEB, (*OF_POD, "seccompProfile", "type"), "Unconfined")], {}),
    ("pod-breaks-restricted", [(WEB, (*POD, "volumes", 0), {"name": "a", "hostPath": {"path": "/var"}})], {}),
    ("pod-breaks-restricted", [(WEB, (*CONTEXT, "capabilities", "add"), ["NET_ADMIN"])], {}),
    ("root-filesystem-writable", [(WEB, (*CONTEXT, "privileged"), True)], {}),
    ("token-mounted-unused", [ACCOUNT, (WEB, TOKEN, False)], {}),
    ("token-mounted-unused", [ACCOUNT, bound("ServiceAccount", "web")], {}),
    ("token-mounted-unused", [ACCOUNT, bound("Group", "system:serviceaccounts:shop")], {}),
    ("token-mounted-unused", [ACCOUNT, bound("User", "system:serviceaccount:shop:web")], {}),
    ("token-mounted-unused", [ACCOUNT, (WEB, (*POD, "serviceAccountName"), "made-by-others")], {}),
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

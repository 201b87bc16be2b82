# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what pods may do to their node and to the cluster: the Pod Security Standards, and what goes beyond them.

Controls as in https://kubernetes.io/docs/concepts/security/pod-security-standards/; those that only Windows has are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..manifests.objects import Path, mapping, mappings, sequence, text
from ..manifests.rules import WARNING, Outcome, Registry
from ..manifests.workloads import Workload
from .containers import containers
from .release import Release

RULES = Registry()
_STANDARDS = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
_BASELINE_CAPABILITIES = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
        *("NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
_SAFE_SYSCTLS = frozenset(
    {
        *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies"),
        *("net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout"),
        *("net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    }
)
_RESTRICTED_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "image"}
)
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SECCOMP = ("RuntimeDefault", "Localhost")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
# How the API server calls service accounts; their groups are called so with an s.
_USER = "system:serviceaccount"
# What breaks a control: where, what it demands, and what is there.
_Breach = tuple[Path, str, str]


@RULES.rule(
    "pod-breaks-baseline",
    "No pod may take over its node",
    examines="pods",
    source=f"{_STANDARDS}, Baseline",
    fix="Take the privilege away; where the pod needs it, set pod_security (sidecar_pod_security) to privileged.",
)
def _baseline(release: Release) -> Iterator[Outcome]:
    if release.demands.pod_security != "privileged":
        for workload in release.workloads:
            yield from _told(workload, [*_of_pod_baseline(workload), *_each(workload, _of_container_baseline)])


@RULES.rule(
    "pod-breaks-restricted",
    "Every pod has no more rights than it needs",
    examines="pods",
    source=f"{_STANDARDS}, Restricted",
    fix="Set the field that is named in the securityContext of the pod or the container.",
)
def _restricted(release: Release) -> Iterator[Outcome]:
    if release.demands.pod_security == "restricted":
        for workload in release.workloads:
            yield from _told(workload, [*_of_pod_restricted(workload), *_each(workload, _of_container_restricted)])


@RULES.rule(
    "root-filesystem-writable",
    "No container can change its own program",
    examines="containers",
    source="https://kubernetes.io/docs/concepts/security/application-security-checklist/",
    fix="Set securityContext.readOnlyRootFilesystem: true, and mount an emptyDir where it writes.",
    severity=WARNING,
)
def _writable(release: Release) -> Iterator[Outcome]:
    for workload, path, container in containers(release):
        ok = mapping(container.get("securityContext")).get("readOnlyRootFilesystem") is True
        observed = f"container {container.get('name')} can write"
        yield Outcome(workload.object, ok, "readOnlyRootFilesystem: true", observed, (*path, "securityContext"))


@RULES.rule(
    "token-mounted-unused",
    "No pod has a token for the API server whose account may nothing there",
    examines="pods whose service account is rendered, or the default one",
    source="https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workloads-that-do-not-need-api-access",
    fix="Set automountServiceAccountToken: false, or bind a role to the account.",
    severity=WARNING,
)
def _token(release: Release) -> Iterator[Outcome]:
    bound = {
        _user(subject, release.namespace_of(binding))
        for binding in release.of_kind("RoleBinding", "ClusterRoleBinding")
        for _position, subject in mappings(binding.body.get("subjects"))
    }
    for workload in release.workloads:
        namespace = release.namespace_of(workload.object)
        name = text(workload.pod_spec.get("serviceAccountName")) or "default"
        account = release.named("ServiceAccount", name, namespace)
        names = {f"{_USER}:{namespace}:{name}", f"{_USER}s:{namespace}", f"{_USER}s"}
        if (account is not None or name == "default") and names.isdisjoint(bound):
            said = workload.pod_spec.get("automountServiceAccountToken")
            if said is None and account is not None:
                said = account.body.get("automountServiceAccountToken")
            path: Path = (*workload.template_path, "spec")
            yield Outcome(workload.object, said is False, "automountServiceAccountToken: false", "a token that nothing needs", path)


def _user(subject: Mapping[str, Any], namespace: str) -> str:
    """The user or group that a subject of a binding is to the API server."""
    name = text(subject.get("name"))
    return f"{_USER}:{text(subject.get('namespace')) or namespace}:{name}" if subject.get("kind") == "ServiceAccount" else name


def _told(workload: Workload, breaches: list[_Breach]) -> Iterator[Outcome]:
    for path, expected, observed in breaches:
        yield Outcome(workload.object, False, expected, observed, path)
    if not breaches:
        yield Outcome(workload.object, True)


def _each(workload: Workload, judge: Any) -> Iterator[_Breach]:
    pod_context = mapping(workload.pod_spec.get("securityContext"))
    for path, container in workload.containers:
        yield from judge(path, container, mapping(container.get("securityContext")), pod_context)


def _of_pod_baseline(workload: Workload) -> Iterator[_Breach]:
    base: Path = (*workload.template_path, "spec")
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if workload.pod_spec.get(name) is True:
            yield (*base, name), f"{name}: false", "true"
    for position, volume in mappings(workload.pod_spec.get("volumes")):
        if volume.get("hostPath") is not None:
            yield (*base, "volumes", position), "no hostPath", f"volume {volume.get('name')} is a path of the node"
    metadata = mapping(workload.pod_template.get("metadata"))
    for name, profile in mapping(metadata.get("annotations")).items():
        if str(name).startswith(_APPARMOR) and profile == "unconfined":
            yield (*workload.template_path, "metadata", "annotations", name), "an AppArmor profile", "unconfined"
    context = mapping(workload.pod_spec.get("securityContext"))
    yield from _of_context((*base, "securityContext"), context)
    for position, sysctl in mappings(context.get("sysctls")):
        if sysctl.get("name") not in _SAFE_SYSCTLS:
            yield (*base, "securityContext", "sysctls", position), "a safe sysctl", str(sysctl.get("name"))


def _of_context(path: Path, context: Mapping[str, Any]) -> Iterator[_Breach]:
    """Controls that pods and containers have alike."""
    if mapping(context.get("seccompProfile")).get("type") == "Unconfined":
        yield (*path, "seccompProfile"), "a seccomp profile", "Unconfined"
    if mapping(context.get("appArmorProfile")).get("type") == "Unconfined":
        yield (*path, "appArmorProfile"), "an AppArmor profile", "Unconfined"
    linux = mapping(context.get("seLinuxOptions"))
    if str(linux.get("type") or "") not in _SELINUX_TYPES or linux.get("user") or linux.get("role"):
        yield (*path, "seLinuxOptions"), "a type of containers, no user, no role", str(dict(linux))


def _of_container_baseline(
    path: Path, container: Mapping[str, Any], context: Mapping[str, Any], _pod_context: Mapping[str, Any]
) -> Iterator[_Breach]:
    at: Path = (*path, "securityContext")
    if context.get("privileged") is True:
        yield (*at, "privileged"), "privileged: false", "true"
    added = {str(one) for one in sequence(mapping(context.get("capabilities")).get("add"))} - _BASELINE_CAPABILITIES
    if added:
        yield (*at, "capabilities", "add"), "no capabilities beyond the runtime's", ", ".join(sorted(added))
    if context.get("procMount") not in (None, "Default"):
        yield (*at, "procMount"), "procMount: Default", str(context.get("procMount"))
    yield from _of_context(at, context)
    for position, port in mappings(container.get("ports")):
        if port.get("hostPort"):
            yield (*path, "ports", position, "hostPort"), "no hostPort", str(port.get("hostPort"))


def _of_pod_restricted(workload: Workload) -> Iterator[_Breach]:
    base: Path = (*workload.template_path, "spec")
    for position, volume in mappings(workload.pod_spec.get("volumes")):
        # A path of the node is Baseline's to say.
        kinds = volume.keys() - {"name", "hostPath"} - _RESTRICTED_VOLUMES
        if kinds:
            yield (*base, "volumes", position), "a volume of a restricted kind", ", ".join(sorted(kinds))
    context = mapping(workload.pod_spec.get("securityContext"))
    if context.get("runAsUser") == 0:
        yield (*base, "securityContext", "runAsUser"), "a user other than 0", "0"
    if context.get("runAsNonRoot") is False:
        yield (*base, "securityContext", "runAsNonRoot"), "runAsNonRoot: true, or nothing", "false"


def _of_container_restricted(
    path: Path, container: Mapping[str, Any], context: Mapping[str, Any], pod_context: Mapping[str, Any]
) -> Iterator[_Breach]:
    at: Path = (*path, "securityContext")
    name = container.get("name")
    if context.get("allowPrivilegeEscalation") is not False:
        said = context.get("allowPrivilegeEscalation")
        yield (*at, "allowPrivilegeEscalation"), "allowPrivilegeEscalation: false", f"{_said(said)} for container {name}"
    # What is false of the pod is told of the pod.
    non_root = _first(context.get("runAsNonRoot"), pod_context.get("runAsNonRoot"))
    if non_root is not True and (context.get("runAsNonRoot") is False or pod_context.get("runAsNonRoot") is not False):
        yield (*at, "runAsNonRoot"), "runAsNonRoot: true", f"{_said(non_root)} for container {name}"
    if context.get("runAsUser") == 0:
        yield (*at, "runAsUser"), "a user other than 0", f"0 for container {name}"
    seccomp = mapping(_first(context.get("seccompProfile"), pod_context.get("seccompProfile"))).get("type")
    # Unconfined is Baseline's to say.
    if seccomp not in (*_SECCOMP, "Unconfined"):
        yield (*at, "seccompProfile"), "seccompProfile.type: RuntimeDefault", f"{_said(seccomp)} for container {name}"
    capabilities = mapping(context.get("capabilities"))
    if "ALL" not in sequence(capabilities.get("drop")):
        yield (*at, "capabilities", "drop"), "capabilities.drop: [ALL]", f"{_said(capabilities.get('drop'))} for container {name}"
    added = ({str(one) for one in sequence(capabilities.get("add"))} & _BASELINE_CAPABILITIES) - {"NET_BIND_SERVICE"}
    if added:
        yield (*at, "capabilities", "add"), "at most NET_BIND_SERVICE", ", ".join(sorted(added))


def _first(own: Any, inherited: Any) -> Any:
    return inherited if own is None else own


def _said(value: Any) -> str:
    return "nothing said" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

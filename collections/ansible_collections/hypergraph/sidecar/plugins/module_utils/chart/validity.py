# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what the API server takes: kinds that it serves, objects that their schemas allow, names and labels that are ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..manifests.objects import Object, Path, mappings
from ..manifests.rules import WARNING, Outcome, Registry
from ..manifests.schema import CUSTOM, built_in, gone_in, problems, served
from .containers import containers
from .release import Release

RULES = Registry()
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
# Names that are more than a DNS subdomain of 253 characters: by kind, the form, and what to say of it.
_NAMES = {
    "Service": (re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"), "at most 63 lower-case letters, digits and dashes, a letter first"),
    "Namespace": (re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"), "at most 63 lower-case letters, digits and dashes"),
    # Eleven characters are kept for what the names of its Jobs end with.
    "CronJob": (re.compile(rf"(?!.{{53}}){_SUBDOMAIN.pattern}"), "a DNS name of at most 52 characters"),
    # Its pods have it as a label.
    "Job": (re.compile(rf"(?!.{{64}}){_SUBDOMAIN.pattern}"), "a DNS name of at most 63 characters"),
}
_SUBDOMAIN_NAME = (re.compile(rf"(?!.{{254}}){_SUBDOMAIN.pattern}"), "a DNS name of at most 253 characters")
_RBAC = "rbac.authorization.k8s.io"
_PATH_SEGMENT = (re.compile(r"(?!\.{1,2}$)[^/%]+"), "a name without / and %")
# Numbers of pods that may be percentages instead, by kind.
_COUNTS: Mapping[str, tuple[Path, ...]] = {
    "PodDisruptionBudget": (("spec", "minAvailable"), ("spec", "maxUnavailable")),
    "Deployment": tuple(("spec", "strategy", "rollingUpdate", name) for name in ("maxUnavailable", "maxSurge")),
    "DaemonSet": tuple(("spec", "updateStrategy", "rollingUpdate", name) for name in ("maxUnavailable", "maxSurge")),
    "StatefulSet": (("spec", "updateStrategy", "rollingUpdate", "maxUnavailable"),),
}
# The form of names of ports: of containers' (IANA_SVC_NAME) and of Services' (DNS_LABEL), and what to say of it.
_CONTAINER_PORT = (
    re.compile(r"(?!.{16})(?!.*--)(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?"),
    "at most 15 lower-case letters, digits and single dashes, a letter among them",
)
_SERVICE_PORT = (re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"), "at most 63 lower-case letters, digits and dashes")
_PERCENTAGE = re.compile(r"0*([0-9]{1,9})%")
_COUNT = "a number without quotes, or a percentage of at most 100%"
# Groups whose other versions are told apart elsewhere, by the version that is deployed to.
_VERSIONED_ELSEWHERE = ("karpenter.sh", "karpenter.k8s.aws")


@RULES.rule(
    "expected-kind-missing",
    "The kinds that a release must have are rendered",
    examines="expected kinds",
    source="argument expected_kinds",
    fix="Enable the part in the values, or take the kind out of expected_kinds (sidecar_expected_kinds).",
)
def _expected(release: Release) -> Iterator[Outcome]:
    rendered = {one.kind for one in release.objects}
    for kind in release.demands.expected_kinds:
        yield Outcome(kind, kind in rendered, "at least one", "none is rendered")


@RULES.rule(
    "api-version-not-served",
    "Every object is of an API version that this version of Kubernetes serves",
    examines="objects of kinds that are known",
    source="https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
    fix="Write the apiVersion that is served; its fields may differ.",
)
def _served(release: Release) -> Iterator[Outcome]:
    for one in release.objects:
        versions = _api_versions(one, release)
        if versions or built_in(one.group) or not one.kind:
            observed = f"apiVersion {one.api_version or '(none)'}"
            expected = " or ".join(versions) or f"a kind of Kubernetes {_version(release)}; it has no {one.kind}"
            if not one.kind:
                expected, observed = "a kind", "no kind"
            yield Outcome(one, one.api_version in versions, expected, observed, ("apiVersion",))


@RULES.rule(
    "name-invalid",
    "Every object has a name that Kubernetes takes",
    examines="objects",
    source="https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
    fix="Name it in lower-case letters, digits and dashes, and cut it to what the kind takes, as with trunc 63 and trimSuffix.",
)
def _name(release: Release) -> Iterator[Outcome]:
    for one in release.objects:
        if not one.name and isinstance(one.metadata.get("generateName"), str):
            continue
        form, expected = _NAMES.get(one.kind, _SUBDOMAIN_NAME) if built_in(one.group) else _SUBDOMAIN_NAME
        if one.group == _RBAC:
            form, expected = _PATH_SEGMENT
        yield Outcome(one, bool(form.fullmatch(one.name)), expected, one.name or "no name", ("metadata", "name"))


@RULES.rule(
    "pod-count-invalid",
    "Every number of pods is one that Kubernetes takes",
    examines="bounds of budgets and rollouts",
    source="https://kubernetes.io/docs/tasks/run-application/configure-pdb/; ValidatePositiveIntOrPercent of the API server",
    fix="Write the number without quotes, or a percentage such as 50%.",
)
def _pod_counts(release: Release) -> Iterator[Outcome]:
    for one in release.of_kind(*_COUNTS):
        for path in _COUNTS[one.kind]:
            given = one.at(*path)
            # Of new pods a Deployment may have more at once than it has replicas.
            unbounded = one.kind == "Deployment" and path[-1] == "maxSurge"
            if isinstance(given, str):
                found = _PERCENTAGE.fullmatch(given)
                ok = found is not None and (unbounded or int(found[1]) <= 100)
                yield Outcome(one, ok, _COUNT, f'"{given}"', path)
            # What is neither text nor number is the schema's to say.
            elif isinstance(given, int) and not isinstance(given, bool):
                yield Outcome(one, given >= 0, _COUNT, str(given), path)


@RULES.rule(
    "port-name-invalid",
    "Every port has a name of its own that Kubernetes takes",
    examines="ports with a name, and those of Services",
    source="IsValidPortName and ValidateService of the API server; of several ports of a Service each needs a name",
    fix="Name each port of a container, and of a Service, otherwise, in few lower-case letters.",
)
def _port_names(release: Release) -> Iterator[Outcome]:
    places: list[tuple[Object, Path, Any]] = [
        (workload.object, (*path, "ports"), container.get("ports")) for workload, path, container in containers(release)
    ]
    places += [(service, ("spec", "ports"), service.spec.get("ports")) for service in release.of_kind("Service")]
    for one, path, ports in places:
        form, expected = _SERVICE_PORT if one.kind == "Service" else _CONTAINER_PORT
        names = [port.get("name") for _position, port in mappings(ports)]
        for position, port in mappings(ports):
            name = port.get("name")
            if name in (None, ""):
                if one.kind == "Service":
                    yield Outcome(one, len(names) == 1, "a name for each of several ports", "no name", (*path, position))
            # What is no text is the schema's to say.
            elif isinstance(name, str):
                alone = names.count(name) == 1
                said = name if alone else f"{name} twice"
                yield Outcome(one, alone and bool(form.fullmatch(name)), expected, said, (*path, position, "name"))


@RULES.rule(
    "label-invalid",
    "Every label is one that Kubernetes takes",
    examines="labels",
    source="https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set",
    fix="Write the label in at most 63 letters, digits, dashes, underscores and dots, as with trunc 63 and replace.",
)
def _labels(release: Release) -> Iterator[Outcome]:
    places: list[tuple[Object, Path, Any]] = [(one, ("metadata", "labels"), one.labels) for one in release.objects]
    places += [
        (workload.object, (*workload.template_path, "metadata", "labels"), workload.pod_labels)
        for workload in release.workloads
        if workload.template_path
    ]
    for one, path, labels in places:
        for key, value in labels.items():
            # What is no text is the schema's to say.
            valid = _is_label_key(key) and (not isinstance(value, str) or value == "" or bool(_LABEL.fullmatch(value)))
            yield Outcome(one, valid, "at most 63 letters, digits and -_.", f"{key}: {value}", (*path, key))


@RULES.rule(
    "schema-broken",
    "Every object is such as the schema of its kind takes",
    examines="objects with a schema",
    source="OpenAPI of Kubernetes as kubernetes-validate ships it; definitions of KEDA, Karpenter, Argo CD and Prometheus Operator",
    fix="Correct the field: the API server refuses it, or drops it without a word.",
)
def _schema(release: Release) -> Iterator[Outcome]:
    for one in release.objects:
        if has_schema(one, release):
            found = list(problems(one, release.bundle.versions.kubernetes))
            for path, said in found:
                yield Outcome(one, False, "what the schema takes", said, path)
            if not found:
                yield Outcome(one, True)


@RULES.rule(
    "key-rendered-twice",
    "No object has a key twice",
    examines="objects",
    source="https://yaml.org/spec/1.2.2/#3211-nodes: keys are unique; Helm takes the last without a word, kustomize and Flux refuse it",
    fix="Take one of the two out; where an included template renders one of them, say there what differs.",
)
def _keys(release: Release) -> Iterator[Outcome]:
    for one in release.objects:
        for path in one.repeated:
            yield Outcome(one, False, "each key once", f"{path[-1]} is there twice, and the last counts", path)
        if not one.repeated:
            yield Outcome(one, True)


@RULES.rule(
    "object-rendered-twice",
    "No object is rendered twice",
    examines="objects",
    source="helm: of two objects of one kind and name the later overwrites the earlier, or the installation fails",
    fix="Give one of them another name, or take it out.",
)
def _twice(release: Release) -> Iterator[Outcome]:
    """Hooks are no part of the release: one of the same name may stand in for an object before it is there."""
    first: dict[tuple[str, str, str, str], Object] = {}
    for one in release.objects:
        if one.name and "helm.sh/hook" not in one.annotations:
            known = first.setdefault((one.group, one.kind, one.name, release.namespace_of(one)), one)
            yield Outcome(one, known is one, "once", f"also in {known.place}")


@RULES.rule(
    "api-version-deprecated",
    "No object is of an API version that a later Kubernetes drops",
    examines="objects of Kubernetes' own kinds",
    source="https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
    fix="Write the apiVersion that replaces it before the cluster is upgraded.",
    severity=WARNING,
)
def _deprecated(release: Release) -> Iterator[Outcome]:
    kubernetes = release.bundle.versions.kubernetes
    for one in release.objects:
        if built_in(one.group) and one.api_version in served(one.kind, kubernetes):
            gone = gone_in(one, kubernetes)
            observed = f"{one.api_version}, gone in {'.'.join(map(str, gone))}" if gone else ""
            yield Outcome(one, gone is None, "an API version that stays", observed, ("apiVersion",))


def has_schema(one: Object, release: Release) -> bool:
    """Whether the object is of a kind that there is a schema for."""
    if (one.api_version, one.kind) in CUSTOM:
        return True
    return built_in(one.group) and one.api_version in served(one.kind, release.bundle.versions.kubernetes)


def kinds_unknown(release: Release) -> list[str]:
    """Custom resources that nobody can judge: there is no schema, and the environment does not say that there need be none."""
    waived = release.demands.kinds_without_schema
    return sorted(
        {
            f"{one.api_version} {one.kind}"
            for one in release.objects
            if one.kind and not _api_versions(one, release) and not built_in(one.group) and one.kind not in waived
            if not has_schema(one, release)
        }
    )


def _api_versions(one: Object, release: Release) -> tuple[str, ...]:
    """The API versions that there are of an object's kind, as far as we know of the kind."""
    if built_in(one.group):
        return served(one.kind, release.bundle.versions.kubernetes)
    if one.group in _VERSIONED_ELSEWHERE:
        return ()
    return tuple(version for version, kind in CUSTOM if kind == one.kind and version.rpartition("/")[0] == one.group)


def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    return bool(_LABEL.fullmatch(name)) and (not slash or (bool(_SUBDOMAIN.fullmatch(prefix)) and len(prefix) <= 253))


def _version(release: Release) -> str:
    return ".".join(map(str, release.bundle.versions.kubernetes))

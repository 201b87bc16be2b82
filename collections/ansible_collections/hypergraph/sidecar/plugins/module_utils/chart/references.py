# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what pods refer to: ConfigMaps, Secrets, service accounts, claims, and their own volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..manifests.objects import Path, mapping, mappings, text
from ..manifests.rules import Outcome, Registry
from ..manifests.workloads import Workload
from .release import Release

RULES = Registry()
# What every namespace has.
_ALWAYS_THERE = frozenset({"ServiceAccount/default", "ConfigMap/kube-root-ca.crt", "ConfigMap/openshift-service-ca.crt"})
# Custom resources that a Secret is made of, and where they name it; else it has their own name.
_MAKING_SECRETS: Mapping[tuple[str, str], Path] = {
    ("external-secrets.io", "ExternalSecret"): ("spec", "target", "name"),
    ("bitnami.com", "SealedSecret"): ("spec", "template", "metadata", "name"),
    ("cert-manager.io", "Certificate"): ("spec", "secretName"),
}
# Made by others for good reasons: by who keeps the secrets, and by who keeps the data.
_OFTEN_OUTSIDE = ("Secret", "PersistentVolumeClaim")


@dataclass(frozen=True)
class Reference:
    """What a pod refers to by name. ``keys`` are the keys in it that are asked for, and where."""

    workload: Workload
    kind: str
    name: str
    path: Path
    optional: bool = False
    keys: tuple[tuple[str, Path], ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@RULES.rule(
    "reference-missing",
    "Everything that pods refer to is rendered, or said to be there already",
    examines="references of pods",
    source="https://kubernetes.io/docs/concepts/configuration/configmap/: a pod that refers to what is not there does not start",
    fix="Correct the name, render the object, or name it in existing_objects (sidecar_existing_objects) as Kind/name.",
)
def _missing(release: Release) -> Iterator[Outcome]:
    """Secrets and claims are judged where the environment says which there are; else the evidence names those that must be."""
    there = {*_ALWAYS_THERE, *release.demands.existing_objects}
    made = made_by_operators(release)
    for reference in references(release):
        if not reference.optional and (release.demands.existing_objects or reference.kind not in _OFTEN_OUTSIDE):
            ok = _rendered(reference, release) is not None or str(reference) in there or _place_of(reference, release) in made
            yield Outcome(reference.workload.object, ok, "an object that is there", f"there is no {reference}", reference.path)


@RULES.rule(
    "reference-key-missing",
    "Every key that a variable or a volume names is in the rendered ConfigMap or Secret",
    examines="keys of rendered ConfigMaps and Secrets",
    source="https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/: the container does not start",
    fix="Correct the key, or add it to the ConfigMap or Secret.",
)
def _key(release: Release) -> Iterator[Outcome]:
    for reference in references(release):
        holder = _rendered(reference, release)
        if reference.keys and holder is not None and not reference.optional:
            keys = {key for part in ("data", "binaryData", "stringData") for key in mapping(holder.body.get(part))}
            if not keys and reference.kind == "Secret":
                # Filled by who knows the secret, such as Kubernetes itself with the token of a service account.
                continue
            for key, path in reference.keys:
                yield Outcome(reference.workload.object, key in keys, "a key that it has", f"{reference} has no {key}", path)


@RULES.rule(
    "volume-missing",
    "Every volume that a container mounts is one of its pod",
    examines="mounts",
    source="https://kubernetes.io/docs/concepts/storage/volumes/: the API server refuses it otherwise",
    fix="Correct the name of the mount, or add the volume to the pod.",
)
def _volume(release: Release) -> Iterator[Outcome]:
    for workload in release.workloads:
        claims = workload.object.spec.get("volumeClaimTemplates")
        there = {text(volume.get("name")) for _position, volume in mappings(workload.pod_spec.get("volumes"))}
        there |= {text(mapping(claim.get("metadata")).get("name")) for _position, claim in mappings(claims)}
        for path, container in workload.containers:
            for field in ("volumeMounts", "volumeDevices"):
                for position, mount in mappings(container.get(field)):
                    name = text(mount.get("name"))
                    observed = f"there is no volume {name}" if name else "it names no volume"
                    yield Outcome(workload.object, name in there, "a volume of the pod", observed, (*path, field, position))


def references(release: Release) -> Iterator[Reference]:
    """What the pods of all workloads refer to."""
    for workload in release.workloads:
        yield from _of_pod(workload)
        for path, container in workload.containers:
            yield from _of_container(workload, path, container)


def taken_as_there(release: Release) -> list[str]:
    """Secrets and claims that are not rendered and not told of, and must be there for pods to start."""
    if release.demands.existing_objects:
        return []
    made = made_by_operators(release)
    outside = (one for one in references(release) if one.kind in _OFTEN_OUTSIDE and not one.optional and _rendered(one, release) is None)
    return sorted({str(one) for one in outside if _place_of(one, release) not in made})


def made_by_operators(release: Release) -> set[tuple[str, str]]:
    """Secrets that operators make of custom resources of the release, as namespace and ``Secret/name``.

    Sources: https://external-secrets.io/latest/api/externalsecret/, https://github.com/bitnami-labs/sealed-secrets#usage and
    https://cert-manager.io/docs/usage/certificate/.
    """
    found = set()
    for one in release.objects:
        if (one.group, one.kind) in _MAKING_SECRETS:
            name = text(one.at(*_MAKING_SECRETS[one.group, one.kind])) or one.name
            found.add((release.namespace_of(one), f"Secret/{name}"))
    return found


def _place_of(reference: Reference, release: Release) -> tuple[str, str]:
    return release.namespace_of(reference.workload.object), str(reference)


def _rendered(reference: Reference, release: Release) -> Any:
    return release.named(reference.kind, reference.name, release.namespace_of(reference.workload.object))


def _of_pod(workload: Workload) -> Iterator[Reference]:
    base: Path = (*workload.template_path, "spec")
    account = workload.pod_spec.get("serviceAccountName")
    if isinstance(account, str) and account:
        yield Reference(workload, "ServiceAccount", account, (*base, "serviceAccountName"))
    for position, secret in mappings(workload.pod_spec.get("imagePullSecrets")):
        yield from _one(workload, "Secret", secret, (*base, "imagePullSecrets", position))
    for position, volume in mappings(workload.pod_spec.get("volumes")):
        path: Path = (*base, "volumes", position)
        yield from _of_volume(workload, volume, path)
        for source, projected in mappings(mapping(volume.get("projected")).get("sources")):
            yield from _of_volume(workload, projected, (*path, "projected", "sources", source))


def _of_volume(workload: Workload, volume: Mapping[str, Any], path: Path) -> Iterator[Reference]:
    yield from _one(workload, "ConfigMap", mapping(volume.get("configMap")), (*path, "configMap"))
    secret = mapping(volume.get("secret"))
    # A volume names its Secret otherwise than a projected source does.
    yield from _one(workload, "Secret", {**secret, "name": secret.get("secretName", secret.get("name"))}, (*path, "secret"))
    claim = mapping(volume.get("persistentVolumeClaim"))
    yield from _one(workload, "PersistentVolumeClaim", {"name": claim.get("claimName")}, (*path, "persistentVolumeClaim"))


def _of_container(workload: Workload, path: Path, container: Mapping[str, Any]) -> Iterator[Reference]:
    for position, source in mappings(container.get("envFrom")):
        yield from _one(workload, "ConfigMap", mapping(source.get("configMapRef")), (*path, "envFrom", position))
        yield from _one(workload, "Secret", mapping(source.get("secretRef")), (*path, "envFrom", position))
    for position, variable in mappings(container.get("env")):
        source = mapping(variable.get("valueFrom"))
        yield from _one(workload, "ConfigMap", mapping(source.get("configMapKeyRef")), (*path, "env", position))
        yield from _one(workload, "Secret", mapping(source.get("secretKeyRef")), (*path, "env", position))


def _one(workload: Workload, kind: str, told: Mapping[str, Any], path: Path) -> Iterator[Reference]:
    """The reference that is told of; a variable asks for one key, a volume for its items."""
    asked = [(told, path), *((item, (*path, "items", position)) for position, item in mappings(told.get("items")))]
    keys = tuple((one["key"], where) for one, where in asked if isinstance(one.get("key"), str))
    name = told.get("name")
    if isinstance(name, str) and name:
        yield Reference(workload, kind, name, path, told.get("optional") is True, keys)

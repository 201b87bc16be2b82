# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on node classes.

What is in CEL in the published definitions (``pkg/apis/crds`` of aws/karpenter-provider-aws v1.14) is here with words of its own: the API
server checks it at apply time, which is too late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ..manifests.bundle import Bundle
from ..manifests.objects import Object, Path, mapping, mappings, sequence, text
from ..manifests.rules import WARNING, Outcome
from .karpenter_pools import node_classes, pools
from .problems import Problem, outcomes
from .registry import RULES

_CRD = "Karpenter v1.14 CRDs, pkg/apis/crds"
_TEMPLATE: Path = ("spec", "template", "spec")
_FAMILIES = {
    "al2": "AL2",
    "al2023": "AL2023",
    "bottlerocket": "Bottlerocket",
    "windows2019": "Windows2019",
    "windows2022": "Windows2022",
    "windows2025": "Windows2025",
}
_SELECTORS = ("amiSelectorTerms", "subnetSelectorTerms", "securityGroupSelectorTerms", "capacityReservationSelectorTerms")
_TIMEOUTS = ("tcpEstablishedTimeout", "udpStreamTimeout", "udpTimeout")
_EVICTION_SIGNALS = frozenset(
    {"memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree", "pid.available"}
)
_RESERVABLE = frozenset({"cpu", "memory", "ephemeral-storage", "pid"})


@RULES.rule(
    "node-class-missing",
    "Every NodePool names a node class that is there",
    examines="NodePools",
    source=f"{_CRD}: nodeClassRef; v1-migration.md",
    fix="Give spec.template.spec.nodeClassRef its group, kind and name, and deploy the node class with the NodePool.",
)
def _node_class_missing(bundle: Bundle) -> Iterator[Outcome]:
    path: Path = (*_TEMPLATE, "nodeClassRef")
    for pool in pools(bundle):
        reference = mapping(pool.template.get("nodeClassRef"))
        absent = [name for name in ("group", "kind", "name") if not reference.get(name)]
        if absent:
            yield Outcome(pool.object, False, "nodeClassRef with group, kind and name", f"no {', '.join(absent)}", path)
            continue
        group, kind, name = (str(reference[part]) for part in ("group", "kind", "name"))
        there = [one.name for one in bundle.of_kind(kind, group=group)]
        # EKS Auto Mode brings its default NodeClass along, and other providers' classes may be anywhere.
        known = group == "karpenter.k8s.aws" or bool(there)
        yield Outcome(
            pool.object, name in there or not known, f"a {kind} {name} ({group})", f"there is {', '.join(there) or 'none'}", (*path, "name")
        )


@RULES.rule(
    "node-class-refused",
    "Every EC2NodeClass keeps to the rules of its definition",
    examines="EC2NodeClasses",
    source=f"{_CRD}: x-kubernetes-validations of EC2NodeClass",
    fix="Correct the field; the API server refuses the object as it is.",
)
def _node_class_refused(bundle: Bundle) -> Iterator[Outcome]:
    for one in node_classes(bundle):
        found = (_identity, _images, _image_terms, _selectors, _selected_tags, _reservations, _volumes, _network, _kubelet, _tags)
        yield from outcomes(one, [problem for problems in found for problem in problems(one)])


def _identity(one: Object) -> Iterator[Problem]:
    given = [name for name in ("role", "instanceProfile") if one.spec.get(name)]
    if len(given) != 1:
        yield ("spec", *given[1:]), "exactly one of role and instanceProfile", " and ".join(given) or "neither"


def _images(one: Object) -> Iterator[Problem]:
    path: Path = ("spec", "amiSelectorTerms")
    terms = list(mappings(one.spec.get("amiSelectorTerms")))
    family = one.spec.get("amiFamily")
    aliases = [str(term["alias"]) for _position, term in terms if term.get("alias")]
    if not aliases and not family:
        yield ("spec",), "amiFamily, since no term of amiSelectorTerms is an alias", "no amiFamily"
    if aliases and len(terms) > 1:
        yield path, "an alias as the only term", f"{len(terms)} terms"
    for alias in aliases:
        name, _separator, version = alias.partition("@")
        if not version:
            yield path, "an alias as family@version", alias
        elif name not in _FAMILIES:
            yield path, f"an alias of {', '.join(_FAMILIES)}", alias
        elif family not in (None, "Custom", _FAMILIES[name]):
            yield ("spec", "amiFamily"), f"{_FAMILIES[name]} or Custom beside alias {alias}", str(family)
        elif name.startswith("windows") and version != "latest":
            yield path, f"{name}@latest, the only version there is", alias


def _image_terms(one: Object) -> Iterator[Problem]:
    for position, term in mappings(one.spec.get("amiSelectorTerms")):
        path: Path = ("spec", "amiSelectorTerms", position)
        said = sorted(key for key, value in term.items() if value)
        if not set(said) & {"alias", "id", "name", "tags", "ssmParameter"}:
            yield path, "alias, id, name, tags or ssmParameter", ", ".join(said) or "nothing"
        for exclusive in ("alias", "id"):
            if exclusive in said and set(said) & {"id", "tags", "name", "owner", "alias"} - {exclusive}:
                yield path, f"{exclusive} without another selector", ", ".join(said)


def _selectors(one: Object) -> Iterator[Problem]:
    for where, alone in (("subnetSelectorTerms", ("id",)), ("securityGroupSelectorTerms", ("id", "name"))):
        if where in one.spec and not sequence(one.spec.get(where)):
            yield ("spec", where), "at least one term", "none"
        for position, term in mappings(one.spec.get(where)):
            said = sorted(key for key, value in term.items() if value)
            if not said:
                yield ("spec", where, position), f"{' or '.join((*alone, 'tags'))}", "nothing"
            if len(said) > 1 and set(said) & set(alone):
                yield ("spec", where, position), f"{' or '.join(alone)} without another selector", ", ".join(said)


def _selected_tags(one: Object) -> Iterator[Problem]:
    for where in _SELECTORS:
        for position, term in mappings(one.spec.get(where)):
            for key, value in mapping(term.get("tags")).items():
                if key == "" or value == "":
                    yield ("spec", where, position, "tags", key), "tags with a key and a value", f"{key!r}: {value!r}"


def _reservations(one: Object) -> Iterator[Problem]:
    path: Path = ("spec", "capacityReservationSelectorTerms")
    if not isinstance(one.at(*path), list):
        return
    terms = [(position, _given(term, "id", "instanceMatchCriteria", "ownerID", "tags")) for position, term in mappings(one.at(*path))]
    for position, said in terms:
        if said in ([], ["ownerID"]):
            yield (*path, position), "tags, id or instanceMatchCriteria", ", ".join(said) or "nothing"
    # Only where no term is otherwise: that is how the definition has it, which takes an empty list for such a one.
    if all("id" in said and len(said) > 1 for _position, said in terms):
        yield path, "id without another selector", "; ".join(", ".join(said) for _position, said in terms) or "an empty list"


def _volumes(one: Object) -> Iterator[Problem]:
    path: Path = ("spec", "blockDeviceMappings")
    mapped = list(mappings(one.spec.get("blockDeviceMappings")))
    roots = sum(1 for _position, volume in mapped if volume.get("rootVolume") is True)
    if roots > 1:
        yield path, "at most one rootVolume", str(roots)
    for position, volume in mapped:
        ebs = volume.get("ebs")
        if isinstance(ebs, dict) and not (ebs.get("snapshotID") or ebs.get("volumeSize")):
            yield (*path, position, "ebs"), "volumeSize or snapshotID", "neither"
        if isinstance(ebs, dict) and ebs.get("volumeInitializationRate") is not None and not ebs.get("snapshotID"):
            yield (*path, position, "ebs"), "snapshotID beside volumeInitializationRate", "none"


def _network(one: Object) -> Iterator[Problem]:
    path: Path = ("spec", "networkInterfaces")
    places = [
        (str(item.get("networkCardIndex")), str(item.get("deviceIndex")), item.get("interfaceType"))
        for _position, item in mappings(one.spec.get("networkInterfaces"))
    ]
    if places and ("0", "0", "interface") not in places:
        yield path, "a primary one of interfaceType interface", "none at device 0 of card 0"
    for (card, device), count in Counter(place[:2] for place in places).items():
        if count > 1:
            yield path, "each device of a card once", f"device {device} of card {card} twice"
    for card, count in Counter(card for card, _device, kind in places if kind == "efa-only").items():
        if count > 1:
            yield path, "at most one efa-only device on a card", f"{count} on card {card}"
    tracking, group = one.spec.get("connectionTracking"), one.spec.get("placementGroupSelector")
    if isinstance(tracking, dict) and not _given(tracking, *_TIMEOUTS):
        yield ("spec", "connectionTracking"), f"at least one of {', '.join(_TIMEOUTS)}", "none of them"
    if isinstance(group, dict) and len(said := _given(group, "name", "id")) != 1:
        yield ("spec", "placementGroupSelector"), "either name or id", " and ".join(said) or "neither"


def _kubelet(one: Object) -> Iterator[Problem]:
    path: Path = ("spec", "kubelet")
    kubelet = mapping(one.spec.get("kubelet"))
    evictions, reserved = ("evictionHard", "evictionSoft", "evictionSoftGracePeriod"), ("kubeReserved", "systemReserved")
    for field in (*evictions, *reserved):
        names = _EVICTION_SIGNALS if field in evictions else _RESERVABLE
        for key, value in mapping(kubelet.get(field)).items():
            if key not in names:
                yield (*path, field, key), f"one of {', '.join(sorted(names))}", str(key)
            elif field in reserved and text(value).startswith("-"):
                yield (*path, field, key), "no negative amount", text(value)
    soft, grace = (mapping(kubelet.get(field)) for field in evictions[1:])
    for field, key in [
        *((evictions[1], key) for key in soft if key not in grace),
        *((evictions[2], key) for key in grace if key not in soft),
    ]:
        yield (*path, field, key), "the same signals in evictionSoft and evictionSoftGracePeriod", f"{key} in {field} alone"
    high, low = (kubelet.get(f"imageGC{end}ThresholdPercent") for end in ("High", "Low"))
    if isinstance(high, int) and isinstance(low, int) and high <= low:
        yield (*path, "imageGCHighThresholdPercent"), f"more than the {low} of imageGCLowThresholdPercent", str(high)


def _given(body: Mapping[str, Any], *fields: str) -> list[str]:
    """Those of the fields that are there; one that is null is not."""
    return [field for field in fields if body.get(field) is not None]


def _tags(one: Object) -> Iterator[Problem]:
    reserved = ("eks:eks-cluster-name", "karpenter.sh/nodepool", "karpenter.sh/nodeclaim", "karpenter.k8s.aws/ec2nodeclass")
    for key in mapping(one.spec.get("tags")):
        if key in ("", *reserved) or str(key).startswith("kubernetes.io/cluster"):
            yield ("spec", "tags", key), "no tag that Karpenter sets itself", str(key)


@RULES.rule(
    "image-floats",
    "Images of production nodes are pinned",
    examines="EC2NodeClasses of production",
    source="Karpenter nodeclasses.md, spec.amiSelectorTerms",
    fix="Name a version in the alias, such as al2023@v20260801, and raise it by a change of its own.",
    severity=WARNING,
)
def _image_floats(bundle: Bundle) -> Iterator[Outcome]:
    if not bundle.production:
        return
    for one in node_classes(bundle):
        for position, term in mappings(one.spec.get("amiSelectorTerms")):
            alias = term.get("alias")
            # Windows images have no other version than the latest.
            if isinstance(alias, str) and not alias.startswith("windows"):
                path: Path = ("spec", "amiSelectorTerms", position, "alias")
                yield Outcome(one, not alias.endswith("@latest"), "an alias with a version", alias, path)

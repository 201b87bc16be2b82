# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications as Argo CD would see them: those that are written down, and those that an ApplicationSet makes.

A list generator is expanded here. What other generators make depends on a cluster or a repository; their template is judged as it
stands, and what is still a template in it is unknown, never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..manifests.objects import Object, Path, mapping, mappings, sequence, text

GROUP = "argoproj.io"
_PARAMETER = re.compile(r"\{\{-?\s*\.?([A-Za-z_][\w.-]*)\s*-?\}\}")
_IN_CLUSTER = "https://kubernetes.default.svc"


@dataclass(frozen=True)
class Source:
    """One source of an application; ``path`` leads to it in the object it is written in."""

    body: Mapping[str, Any]
    path: Path

    @property
    def repository(self) -> str:
        """The URL of the repository, written as Git would compare it."""
        return normal_url(text(self.body.get("repoURL")))

    @property
    def folder(self) -> str:
        """The folder in a Git repository; empty where there is none."""
        return text(self.body.get("path"))

    @property
    def chart(self) -> str:
        """The chart in a Helm repository; empty where there is none."""
        return text(self.body.get("chart"))

    @property
    def revision(self) -> str:
        """What is tracked: a version, a tag, a branch."""
        return text(self.body.get("targetRevision"))

    @property
    def helm(self) -> Mapping[str, Any]:
        """Settings for Helm."""
        return mapping(self.body.get("helm"))


@dataclass(frozen=True)
class Application:
    """One application. ``path`` leads to its spec in ``object``, which is an Application, or the ApplicationSet that makes it."""

    object: Object
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    path: Path

    def __str__(self) -> str:
        return f"Application/{self.name}" if self.object.kind == "Application" else f"{self.object} -> {self.name}"

    @property
    def name(self) -> str:
        """Its name."""
        return text(self.metadata.get("name"))

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Its sources in the order of their precedence; of a hydrated application, where it is hydrated from."""
        many = [Source(body, (*self.path, "sources", position)) for position, body in mappings(self.spec.get("sources"))]
        if many:
            return tuple(many)
        if isinstance(self.spec.get("source"), Mapping):
            return (Source(self.spec["source"], (*self.path, "source")),)
        dry = mapping(mapping(self.spec.get("sourceHydrator")).get("drySource"))
        return (Source(dry, (*self.path, "sourceHydrator", "drySource")),) if dry else ()

    @property
    def project(self) -> str:
        """The name of its project."""
        return text(self.spec.get("project"))

    @property
    def destination(self) -> Mapping[str, Any]:
        """The cluster and namespace it goes to."""
        return mapping(self.spec.get("destination"))

    @property
    def namespace(self) -> str:
        """The namespace it goes to."""
        return text(self.destination.get("namespace"))

    @property
    def cluster(self) -> str:
        """The cluster it goes to, one name for each."""
        server = text(self.destination.get("server")).rstrip("/")
        return "in-cluster" if server == _IN_CLUSTER else server or text(self.destination.get("name"))

    @property
    def sync_policy(self) -> Mapping[str, Any]:
        """When and how it is synchronised."""
        return mapping(self.spec.get("syncPolicy"))

    @property
    def automated(self) -> Mapping[str, Any] | None:
        """The policy of automation, empty where it is all defaults; None where there is none."""
        policy = self.sync_policy.get("automated")
        return policy if isinstance(policy, Mapping) else None

    @property
    def heals(self) -> bool:
        """Whether what changes in the cluster is put back by itself."""
        policy = self.automated or {}
        return policy.get("selfHeal") is True and policy.get("enabled") is not False

    @cached_property
    def sync_options(self) -> dict[str, str]:
        """Options of synchronisation by name."""
        pairs = (option.partition("=") for option in sequence(self.sync_policy.get("syncOptions")) if isinstance(option, str))
        return {name: value for name, _separator, value in pairs}

    @property
    def wave(self) -> int | None:
        """The wave in which its parent application makes it; None where that is no number."""
        return wave_of(self.object)

    @property
    def release(self) -> str:
        """The name of the Helm release: its own where a source names none."""
        named = (text(source.helm.get("releaseName")) for source in self.sources)
        return next((name for name in named if name), self.name)


def applications(objects: Iterable[Object]) -> Iterator[Application]:
    """Every application that is written down or made of a list. An ApplicationSet with a ``templatePatch`` makes none: see ``patched``."""
    for one in objects:
        if one.group != GROUP:
            continue
        if one.kind == "Application":
            yield Application(one, one.metadata, one.spec, ("spec",))
        elif one.kind == "ApplicationSet" and not patched(one):
            yield from _made(one)


def patched(one: Object) -> bool:
    """Whether it is an ApplicationSet whose template is patched by another template, which only Argo CD itself can expand."""
    return one.kind == "ApplicationSet" and bool(one.spec.get("templatePatch"))


def wave_of(one: Object) -> int | None:
    """Its sync wave, 0 where none is given; None where it is no whole number."""
    written = one.annotations.get("argocd.argoproj.io/sync-wave", "0")
    return int(written) if isinstance(written, str) and re.fullmatch(r"[+-]?\d{1,9}", written, re.ASCII) else None


def known(value: str) -> bool:
    """Whether it is a value and no template any more."""
    return "{{" not in value


def normal_url(url: str) -> str:
    """A URL of a repository as Git would compare it."""
    return url.strip().rstrip("/").removesuffix(".git").lower()


def _made(one: Object) -> Iterator[Application]:
    template = mapping(one.spec.get("template"))
    path: Path = ("spec", "template", "spec")
    for _position, generator in mappings(one.spec.get("generators")):
        listed = mapping(generator.get("list"))
        own = next((mapping(body.get("template")) for body in generator.values() if isinstance(body, Mapping) and "template" in body), {})
        merged = _merged(template, own)
        elements = [element for _position, element in mappings(listed.get("elements"))]
        if "selector" in generator or "elementsYaml" in listed:
            elements = []
        for element in elements or [{}]:
            body = _expanded(merged, element)
            yield Application(one, mapping(body.get("metadata")), mapping(body.get("spec")), path)


def _merged(template: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The template, with what a generator's own template sets in its place; what is empty there sets nothing."""
    merged = dict(template)
    for key, value in own.items():
        if isinstance(value, Mapping):
            merged[key] = _merged(mapping(merged.get(key)), value)
        elif value not in (None, "", []):
            merged[key] = value
    return merged


def _expanded(value: Any, parameters: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {_expanded(key, parameters): _expanded(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item, parameters) for item in value]
    if not isinstance(value, str):
        return value
    return _PARAMETER.sub(lambda found: _parameter(found, parameters), value)


def _parameter(found: re.Match[str], parameters: Mapping[str, Any]) -> str:
    value: Any = parameters
    for part in found[1].split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int, float)) else found[0]

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on where an application goes, and whether its project lets it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..manifests.objects import Object, mapping, mappings, sequence, text
from ..manifests.rules import WARNING, Outcome, Registry
from .applications import Application, known, normal_url
from .delivery import Delivery
from .kinds import CLUSTER_SCOPED, KNOWN_GROUPS

RULES = Registry()
# Namespaces that every cluster has.
_BUILT_IN_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


@RULES.rule(
    "destination-ambiguous",
    "Every application goes to one cluster",
    examines="applications",
    source="Argo CD application.yaml: destination.server and destination.name are mutually exclusive",
    fix="Set destination.server or destination.name.",
)
def _destination_ambiguous(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        given = [name for name in ("server", "name") if app.destination.get(name)]
        said = f"{' and '.join(given) or 'neither'} in {app.name}"
        yield Outcome(app.object, len(given) == 1, "either server or name", said, (*app.path, "destination"))


@RULES.rule(
    "project-missing",
    "Every application is of a project that is there",
    examines="applications",
    source="Argo CD projects.md",
    fix="Deploy the AppProject with the applications, or correct spec.project.",
)
def _project_missing(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        # Every Argo CD has a project named default. Where the files hold no project at all, projects are kept elsewhere.
        if delivery.projects and app.project != "default" and known(app.project):
            said = f"{app.project or 'none'}, there is {', '.join(delivery.projects)}"
            yield Outcome(app.object, app.project in delivery.projects, "a project of these files", said, (*app.path, "project"))


@RULES.rule(
    "project-forbids-source",
    "The project of every application permits its sources",
    examines="sources of applications whose project is known",
    source="Argo CD projects.md, sourceRepos",
    fix="Add the repository to spec.sourceRepos of the AppProject.",
)
def _forbidden_source(delivery: Delivery) -> Iterator[Outcome]:
    for app, source in delivery.sources:
        project = delivery.projects.get(app.project)
        if project is not None and known(source.repository):
            allowed = [normal_url(one) for one in sequence(project.spec.get("sourceRepos")) if isinstance(one, str)]
            matches = [_glob(pattern, source.repository, separated=True) for pattern in allowed]
            denied = any(pattern.startswith("!") and not match for pattern, match in zip(allowed, matches))
            ok = any(matches) and not denied
            expected = f"one of sourceRepos of AppProject {project.name}: {', '.join(allowed) or 'none'}"
            yield Outcome(app.object, ok, expected, str(source.body.get("repoURL")), (*source.path, "repoURL"))


@RULES.rule(
    "project-forbids-destination",
    "The project of every application permits its destination",
    examines="applications whose project is known",
    source="Argo CD projects.md, destinations",
    fix="Add cluster and namespace to spec.destinations of the AppProject.",
)
def _forbidden_destination(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        project = delivery.projects.get(app.project)
        if project is not None and known(app.namespace) and known(app.cluster):
            places = {app.namespace, *(one.namespace for one in delivery.resources(app) if one.namespace)}
            for namespace in sorted(places):
                ok = _destination_permitted(project, app, namespace)
                expected = f"a destination of AppProject {project.name}"
                yield Outcome(app.object, ok, expected, f"namespace {namespace} on {app.cluster}", (*app.path, "destination"))


def _destination_permitted(project: Object, app: Application, namespace: str) -> bool:
    permitted = False
    for _position, item in mappings(project.spec.get("destinations")):
        pattern = text(item.get("namespace"))
        if _cluster_matches(item, app):
            if _glob(pattern, namespace):
                permitted = True
            elif pattern.startswith("!"):
                return False
    return permitted


def _cluster_matches(item: Mapping[str, Any], app: Application) -> bool:
    """Whether the item is for the application's cluster. A cluster named by its server there and by its name here may be the same."""
    named = [key for key in ("server", "name") if text(item.get(key))]
    same = [key for key in named if text(app.destination.get(key))]
    if not same and named and app.cluster != "in-cluster":
        return True
    own = {key: text(app.destination.get(key)) for key in ("server", "name")}
    if app.cluster == "in-cluster":
        own = {"server": "https://kubernetes.default.svc", "name": "in-cluster"}
    return any(_glob(text(item.get(key)), own[key]) for key in named)


@RULES.rule(
    "project-forbids-kind",
    "The project of every application permits the kinds that it deploys",
    examines="kinds of objects in applications whose project is known",
    source="Argo CD projects.md: nothing without a namespace is permitted that clusterResourceWhitelist does not name",
    fix="Add group and kind to the AppProject's whitelist, or deploy the object by another application.",
)
def _forbidden_kind(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        project = delivery.projects.get(app.project)
        if project is None:
            continue
        for group, kind in sorted({(one.group, one.kind) for one in delivery.resources(app)}):
            if (group, kind) in CLUSTER_SCOPED or group in KNOWN_GROUPS:
                ok = _kind_permitted(project, group, kind)
                said = f"{kind} of {group or 'the core group'} in {app.name}"
                yield Outcome(project, ok, "a kind that the project permits", said, ("spec",))


def _kind_permitted(project: Object, group: str, kind: str) -> bool:
    scope = "cluster" if (group, kind) in CLUSTER_SCOPED else "namespace"
    white = project.spec.get(f"{scope}ResourceWhitelist")
    listed = {
        colour: any(
            _glob(text(entry.get("group")), group) and _glob(text(entry.get("kind")), kind)
            for _position, entry in mappings(project.spec.get(f"{scope}Resource{colour}"))
        )
        for colour in ("Whitelist", "Blacklist")
    }
    return (listed["Whitelist"] or (scope == "namespace" and white is None)) and not listed["Blacklist"]


@RULES.rule(
    "namespace-missing",
    "The namespace an application goes to is there, or is made",
    examines="applications",
    source="Argo CD sync-options.md, Create Namespace",
    fix="Add CreateNamespace=true to syncOptions, or deploy the Namespace in an earlier wave.",
)
def _namespace_missing(delivery: Delivery) -> Iterator[Outcome]:
    there = {one.name for one in delivery.bundle.of_kind("Namespace", group="")}
    there |= {one.name for objects in delivery.folders.values() for one in objects if one.kind == "Namespace"}
    # Where Argo CD itself is, its own objects are.
    there |= _BUILT_IN_NAMESPACES | {one.namespace for one in delivery.bundle.argocd if one.namespace}
    for app in delivery.applications:
        if app.namespace and known(app.namespace):
            makes = app.sync_options.get("CreateNamespace") == "true"
            made_elsewhere = any(
                other.sync_options.get("CreateNamespace") == "true" and (other.namespace, other.cluster) == (app.namespace, app.cluster)
                for other in delivery.applications
                if (other.wave or 0) < (app.wave or 0)
            )
            ok = makes or made_elsewhere or app.namespace in there
            said = f"nothing makes namespace {app.namespace} of {app.name}"
            yield Outcome(app.object, ok, "CreateNamespace=true or a Namespace", said, (*app.path, "syncPolicy", "syncOptions"))


@RULES.rule(
    "namespace-metadata-inert",
    "Metadata for a namespace is set where the namespace is made",
    examines="applications with managedNamespaceMetadata",
    source="Argo CD sync-options.md, Namespace Metadata: it needs CreateNamespace=true",
    fix="Add CreateNamespace=true to syncOptions.",
)
def _metadata_inert(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        if mapping(app.sync_policy.get("managedNamespaceMetadata")):
            makes = app.sync_options.get("CreateNamespace") == "true"
            path = (*app.path, "syncPolicy", "managedNamespaceMetadata")
            yield Outcome(app.object, makes, "CreateNamespace=true beside it", f"without in {app.name}", path)


@RULES.rule(
    "chart-deployed-otherwise",
    "The chart is deployed with the release, namespace and values it was judged with",
    examines="charts",
    source="what is judged is what is deployed",
    fix="Judge the chart with the release, namespace and value files of the application: sidecar's arguments and the application differ.",
    severity=WARNING,
)
def _deployed_otherwise(delivery: Delivery) -> Iterator[Outcome]:
    if not delivery.of_chart or not all(known(app.namespace + app.release) for app in delivery.of_chart):
        return
    as_rendered = [app for app in delivery.of_chart if delivery.as_rendered(app)]
    said = ", ".join(f"{app.name}: release {app.release} in {app.namespace}" for app in delivery.of_chart)
    expected = f"an application with release {delivery.release} in namespace {delivery.bundle.namespace}"
    yield Outcome((as_rendered or list(delivery.of_chart))[0].object, bool(as_rendered), expected, said)


def _glob(pattern: str, value: str, separated: bool = False) -> bool:
    """Whether a pattern of Argo CD matches; one of a form we do not read is taken to match."""
    if pattern.startswith("!"):
        return not _glob(pattern[1:], value, separated)
    if pattern == "*" or set(pattern) & set("[]{}\\"):
        return True
    parts = {"**": ".*", "*": "[^/]*" if separated else ".*", "?": "."}
    expression = "".join(parts.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", pattern))
    return bool(re.fullmatch(expression, value, re.DOTALL))

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on where an application comes from: sources, revisions, and files of the repository they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path as FilePath

from ..manifests.objects import sequence
from ..manifests.rules import Outcome, Registry
from .applications import Application, Source, known
from .delivery import Delivery, leads_out

RULES = Registry()
_TOOLS = ("helm", "kustomize", "directory", "plugin")
_COMMIT = re.compile(r"[0-9a-f]{7,40}|[0-9a-f]{64}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
# What makes a revision a range that Argo CD resolves anew whenever it looks: tracking_strategies.md.
_RANGE = re.compile(r"[*<>~^|,]|\.x\b|\s-\s|^v?\d+(\.\d+)?$")
# A variable as Go's os.Expand finds it; a dollar sign escapes another.
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+|\$))", re.ASCII)
# Variables of build-environment.md whose value is in no file.
_AT_BUILD = frozenset(
    {
        "ARGOCD_APP_REVISION",
        "ARGOCD_APP_REVISION_SHORT",
        "ARGOCD_APP_REVISION_SHORT_8",
        "ARGOCD_APP_SOURCE_REPO_URL",
        "KUBE_VERSION",
        "KUBE_API_VERSIONS",
    }
)
_EXPANDS_PATTERNS = (3, 4)
# Names of branches by convention, and of tags that are made to move.
_MOVING = re.compile(
    r"(refs/heads/.*|head|main|master|trunk|dev|develop|development|latest|stable|edge|nightly|prod|production|staging|release"
    r"|(feature|feat|fix|hotfix|bugfix|release|dev|user)/.*|release[-_/]v?\d+(\.\d+)?)"
)


@RULES.rule(
    "source-ambiguous",
    "Every application has one source, or several, each of which is one thing",
    examines="applications",
    source="Argo CD application.yaml, multiple_sources.md",
    fix="Give spec.source or spec.sources, and each of them a path in Git or a chart in a Helm repository, with settings for one tool.",
)
def _source_ambiguous(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        problems = list(_ambiguities(app))
        for path, expected, observed in problems:
            yield Outcome(app.object, False, expected, f"{observed} in {app.name}", (*app.path, *path))
        if not problems:
            yield Outcome(app.object, True)


def _ambiguities(app: Application) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    given = [name for name in ("source", "sources", "sourceHydrator") if app.spec.get(name)]
    if len(given) != 1:
        yield tuple(given[:1]), "one of source, sources and sourceHydrator", " and ".join(given) or "none"
    for source in app.sources:
        path = source.path[len(app.path) :]
        many = len(app.sources) > 1
        if source.chart and source.folder:
            yield path, "a chart or a path", "both"
        elif not source.chart and not source.folder and not (many and source.body.get("ref")):
            yield path, "a chart or a path", "neither"
        if source.chart and source.body.get("ref"):
            yield (*path, "ref"), "ref on a Git source only", f"ref on chart {source.chart}"
        if source.chart and not source.revision:
            yield path, f"targetRevision of chart {source.chart}", "none"
        tools = [tool for tool in _TOOLS if source.body.get(tool)]
        if len(tools) > 1:
            yield path, f"settings for one of {', '.join(_TOOLS)}", " and ".join(tools)


@RULES.rule(
    "source-path-missing",
    "Every path that a source names is in the repository",
    examines="paths in the repository",
    source="Argo CD: app path does not exist",
    fix="Correct spec.source.path; it is relative to the root of the repository.",
)
def _path_missing(delivery: Delivery) -> Iterator[Outcome]:
    for app, source in delivery.sources:
        folder = delivery.folder_of(source)
        if known(source.folder) and leads_out(source.folder):
            yield Outcome(app.object, False, "a path in the repository", source.folder, (*source.path, "path"))
        if folder is not None:
            there = folder.is_dir() and any(folder.iterdir())
            yield Outcome(app.object, there, "a folder with something in it", f"{source.folder} is not there", (*source.path, "path"))
            if there and source.helm:
                chart = (folder / "Chart.yaml").is_file()
                yield Outcome(
                    app.object, chart, "a Helm chart, since helm is set", f"no Chart.yaml in {source.folder}", (*source.path, "path")
                )


@RULES.rule(
    "value-file-missing",
    "Every value file that a source names is there",
    examines="value files",
    source="Argo CD helm.md, valueFiles; multiple_sources.md",
    fix="Correct helm.valueFiles: relative to the chart, from / to the repository, or $ref/ of another source.",
)
def _value_file_missing(delivery: Delivery) -> Iterator[Outcome]:
    for app, source in delivery.sources:
        if source.helm.get("ignoreMissingValueFiles") is True:
            continue
        for position, written in enumerate(sequence(source.helm.get("valueFiles"))):
            if isinstance(written, str) and known(written) and "://" not in written:
                path = (*source.path, "helm", "valueFiles", position)
                yield from (
                    Outcome(app.object, ok, expected, written, path) for ok, expected in _value_file(delivery, app, source, written)
                )


def _value_file(delivery: Delivery, app: Application, source: Source, written: str) -> Iterator[tuple[bool, str]]:
    """What there is to say of one value file: whether its ref is there, and whether the file is, as far as the checkout tells."""
    repository, variables = source, _build_variables(app, source)
    name, _separator, path = written[1:].partition("/") if written.startswith("$") else ("", "", "")
    named = [one for one in app.sources if name and one.body.get("ref") == name]
    leading = _VARIABLE.match(written)
    if named or (name and not (leading and (leading[1] or leading[2]) in variables)):
        yield bool(named), f"a source with ref {name}"
        if not named:
            return
        repository, found = named[0], _substituted(path, variables)
    elif source.chart:
        return
    elif (folder := delivery.folder_of(source)) is not None and not folder.is_dir():
        # That is told of the path itself.
        return
    else:
        found = _substituted(written, variables)
        found = found if found is None or found.startswith("/") else f"{source.folder}/{found}"
    if found is None or not known(found):
        return
    if leads_out(found):
        yield False, "a file in the repository"
    file = delivery.locate(found) if delivery.holds(repository) else None
    if file is not None:
        yield from _there(delivery, file)


def _build_variables(app: Application, source: Source) -> dict[str, str | None]:
    """The variables that Argo CD puts in place, by name; None for what only a build knows."""
    return {
        "$": "$",
        "ARGOCD_APP_NAME": app.name,
        "ARGOCD_APP_NAMESPACE": app.namespace,
        "ARGOCD_APP_PROJECT_NAME": app.project,
        "ARGOCD_APP_SOURCE_PATH": source.folder,
        "ARGOCD_APP_SOURCE_TARGET_REVISION": source.revision,
        **dict.fromkeys(_AT_BUILD),
    }


def _substituted(written: str, variables: dict[str, str | None]) -> str | None:
    """The text with variables in place, others than these being empty; None where one of them is known to a build alone."""
    pieces = [variables.get(found[1] or found[2], "") for found in _VARIABLE.finditer(written)]
    values = iter([piece for piece in pieces if piece is not None])
    return None if None in pieces else _VARIABLE.sub(lambda _found: next(values), written)


def _there(delivery: Delivery, file: FilePath) -> Iterator[tuple[bool, str]]:
    """Whether a value file is there; of a pattern, whether any file matches it. What has alternatives besides is not read."""
    repository = delivery.repository
    pattern = str(file.relative_to(repository)) if repository else ""
    if repository is None or not re.search(r"[*?[]", pattern):
        yield file.is_file(), "a file in the repository"
    elif delivery.bundle.versions.argocd < _EXPANDS_PATTERNS:
        yield file.is_file(), "a file in the repository; patterns are expanded from Argo CD 3.4 on"
    elif "{" not in pattern:
        # Two stars mean something only where they are all there is between slashes, and at the end they stand for files too.
        parts = [part if part == "**" else re.sub(r"\*+", "*", part) for part in pattern.split("/")]
        parts += ["*"] if parts[-1] == "**" else []
        yield any(found.is_file() for found in repository.glob("/".join(parts))), "a file in the repository that matches"


@RULES.rule(
    "revision-not-pinned",
    "What production deploys is pinned to a version, a tag or a commit",
    examines="sources of production",
    source="Argo CD tracking_strategies.md, best_practices.md",
    fix="Set targetRevision to a tag with a full version, such as v1.4.2, or to a commit.",
)
def _revision_not_pinned(delivery: Delivery) -> Iterator[Outcome]:
    if not delivery.bundle.production:
        return
    for app, source in delivery.sources:
        if known(source.revision) and not delivery.is_elsewhere(app):
            said = f"{source.revision or 'nothing, which is HEAD'} in {app.name}"
            path = (*source.path, "targetRevision")
            yield Outcome(app.object, pinned(source.revision), "a full version, a tag or a commit", said, path)


def pinned(revision: str) -> bool:
    """Whether a revision stays what it is. A name that is neither a version nor a branch by convention is taken for a tag."""
    written = revision.strip()
    if not written or _MOVING.fullmatch(written.lower()):
        return False
    if written.startswith("refs/tags/") or _COMMIT.fullmatch(written):
        return True
    if _RANGE.search(written):
        return False
    return bool(_VERSION.search(written)) or any(character.isdigit() for character in written)

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of what Argo CD is told to deploy: holds its files, the repository they point into and the chart to the rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath

from ..examination import Inspection
from ..faults import CheckError
from ..manifests import helm
from ..manifests.bundle import Bundle, Versions
from ..manifests.documents import read_documents
from ..manifests.objects import Object, mapping
from ..manifests.rules import hold
from . import destinations, schema, sources, syncing
from .applications import GROUP, applications, known, normal_url, patched
from .delivery import Delivery

_OTHER_TOOLS = ("Chart.yaml", "kustomization.yaml", "kustomization.yml", "Kustomization")
# In the order they are judged and told: what is malformed first, then from where, to where, and how.
RULES = (*schema.RULES, *sources.RULES, *destinations.RULES, *syncing.RULES)


def examine(run: Inspection) -> None:
    """Hold the Argo CD files in ``argocd_paths`` to the rules."""
    versions = Versions.of(run.params)
    if not run.params["argocd_paths"]:
        run.verdict.skip("dependency_missing", "argocd_paths is empty, so there is nothing to examine", "Set sidecar_argocd_paths.")
        return
    files = read_documents(run.params["argocd_paths"])
    delivery = _delivery(run, files, versions)
    made = len(delivery.applications)
    kinds = sorted({one.kind for one in files})
    run.verdict.expect(
        "the files hold applications",
        made > 0 or any(patched(one) for one in files),
        reason_code="no-applications",
        expected="at least one Application or ApplicationSet",
        observed=f"{len(files)} objects: {', '.join(kinds) or 'none'}",
        action="Point sidecar_argocd_paths at the files with the applications.",
    )
    run.verdict.examine("Argo CD objects", len(files))
    run.verdict.examine("applications", made)
    _tell_what_is_open(run, delivery)
    hold(run, RULES, delivery)


def _delivery(run: Inspection, files: tuple[Object, ...], versions: Versions) -> Delivery:
    root = _repository(run)
    rendered: tuple[Object, ...] = ()
    chart = FilePath(run.params["chart_path"]) if run.params["chart_path"] else None
    name = chart.resolve().name if chart else ""
    if chart is None:
        run.verdict.skip("dependency_missing", "what the chart renders, since chart_path is empty", "Set sidecar_chart_path.")
    else:
        try:
            found = helm.render(run.params)
        except helm.HelmMissing as missing:
            run.verdict.skip("dependency_missing", f"what the chart renders: {missing.reason}", missing.action)
        else:
            rendered, name = found.objects, found.chart_name
            run.verdict.record(rendered_objects=len(rendered))
    bundle = Bundle(
        rendered=rendered,
        argocd=files,
        namespace=run.params["namespace"],
        production=run.params["production"],
        versions=versions,
    )
    url = _repository_url(run, files) if root else ""
    part = run.params["repo_folder"]
    folders = _folders(Delivery(Bundle(argocd=files), repository=root, repository_url=url, repository_folder=part)) if root else {}
    run.verdict.record(folders_read={folder: len(objects) for folder, objects in folders.items()})
    return Delivery(bundle, run.params["release"], chart, name, root, url, part, folders)


def _repository(run: Inspection) -> FilePath | None:
    if not run.params["repo_root"]:
        run.verdict.skip(
            "dependency_missing", "paths and value files in the repository, since repo_root is empty", "Set sidecar_repo_root."
        )
        return None
    root = FilePath(run.params["repo_root"])
    if not root.is_dir():
        raise CheckError("manifest-unreadable", f"repo_root {root}: no such directory", "Set repo_root to a checkout of the repository.")
    return root


def _repository_url(run: Inspection, files: tuple[Object, ...]) -> str:
    """Of which repository ``repo_root`` is a checkout: as told, or the only one that sources with a path name."""
    if run.params["repo_url"]:
        return normal_url(run.params["repo_url"])
    named = sorted({source.repository for app in applications(files) for source in app.sources if source.folder})
    if len(named) > 1:
        reason = f"repo_root is given, but which of {', '.join(named)} it is a checkout of is not"
        raise CheckError("repository-ambiguous", reason, "Set repo_url to the repoURL of the checkout.")
    return named[0] if named else ""


def _folders(delivery: Delivery) -> dict[str, tuple[Object, ...]]:
    """Objects of the folders that applications deploy as they are: neither a chart nor for another tool."""
    found: dict[str, tuple[Object, ...]] = {}
    for _app, source in delivery.sources:
        folder = delivery.folder_of(source)
        tools = [tool for tool in ("helm", "kustomize", "plugin") if source.body.get(tool)]
        if folder is None or tools or source.folder in found or any((folder / name).exists() for name in _OTHER_TOOLS):
            continue
        settings = mapping(source.body.get("directory"))
        if not settings.get("include") and not settings.get("exclude"):
            manifests = list(_manifests(folder, settings.get("recurse") is True))
            found[source.folder] = read_documents(manifests) if manifests else ()
    return found


def _manifests(folder: FilePath, recurse: bool) -> Iterator[FilePath]:
    pattern = "**/*" if recurse else "*"
    return (path for path in sorted(folder.glob(pattern)) if path.suffix in (".yaml", ".yml") and path.is_file())


def _tell_what_is_open(run: Inspection, delivery: Delivery) -> None:
    """Name what was not judged for want of a cluster: what Argo CD alone can expand, and templates that are still ones."""
    run.verdict.record(
        applications=[app.name for app in delivery.applications],
        kinds_without_schema=schema.kinds_without_schema(delivery),
        application_sets_not_expanded=[
            one.name for one in delivery.bundle.argocd if one.group == GROUP and (patched(one) or _still_template(delivery, one))
        ],
    )


def _still_template(delivery: Delivery, one: Object) -> bool:
    return any(app.object is one and not known(app.name) for app in delivery.applications)

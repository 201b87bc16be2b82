# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules of this check look at: the Argo CD files, the repository they point into, and the chart as it was rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from posixpath import normpath

from ..autoscaling.targets import autoscaled
from ..manifests.bundle import Bundle
from ..manifests.objects import Object
from .applications import GROUP, Application, Source, applications, known


@dataclass(frozen=True)
class Delivery:
    """``bundle.argocd`` holds the Argo CD files, ``bundle.rendered`` the chart at ``chart_path`` as ``release`` in ``bundle.namespace``.

    ``repository`` is a checkout of the Git repository at ``repository_url``, normalised, or of its folder ``repository_folder``; with an
    empty URL every source with a path is in it. ``folders`` are the objects in folders of the checkout that a source names and that are
    plain manifests.
    """

    bundle: Bundle
    release: str = ""
    chart_path: FilePath | None = None
    chart_name: str = ""
    repository: FilePath | None = None
    repository_url: str = ""
    repository_folder: str = ""
    folders: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """All applications, those of ApplicationSets expanded."""
        return tuple(applications(self.bundle.argocd))

    @cached_property
    def autoscaled(self) -> tuple[Object, ...]:
        """The workloads of the rendered chart whose replicas an autoscaler sets."""
        return tuple(target.workload.object for target in autoscaled(self.bundle))

    @cached_property
    def projects(self) -> dict[str, Object]:
        """Projects by name."""
        return {one.name: one for one in self.bundle.argocd if one.group == GROUP and one.kind == "AppProject"}

    @property
    def sources(self) -> Iterator[tuple[Application, Source]]:
        """All sources of all applications."""
        return ((app, source) for app in self.applications for source in app.sources)

    def folder_of(self, source: Source) -> FilePath | None:
        """The folder of a source in the checkout, whether it is there or not; None where it is another repository's, or unknown."""
        if not source.folder or not known(source.folder) or not self.holds(source):
            return None
        return self.locate(source.folder)

    def holds(self, source: Source) -> bool:
        """Whether the checkout is of the source's repository."""
        return self.repository is not None and self.repository_url in ("", source.repository)

    def locate(self, path: str) -> FilePath | None:
        """Where a path of the repository is in the checkout, whether it is there or not; None where the checkout holds no such part."""
        parts = PurePosixPath(normpath(path.strip("/") or ".")).parts
        folder = PurePosixPath(self.repository_folder.strip("/")).parts
        if self.repository is None or leads_out(path) or parts[: len(folder)] != folder:
            return None
        return self.repository.joinpath(*parts[len(folder) :])

    def is_chart(self, source: Source) -> bool:
        """Whether the source is the chart that was rendered."""
        if source.chart:
            return source.chart == self.chart_name
        if self.chart_path is None or not source.folder:
            return False
        folder = self.folder_of(source)
        if folder is not None:
            return folder.resolve() == self.chart_path.resolve()
        tail = FilePath(source.folder.strip("/")).parts
        return self.repository is None and self.chart_path.resolve().parts[-len(tail) :] == tail

    @cached_property
    def of_chart(self) -> tuple[Application, ...]:
        """The applications that deploy the chart that was rendered."""
        return tuple(app for app in self.applications if any(self.is_chart(source) for source in app.sources))

    def as_rendered(self, app: Application) -> bool:
        """Whether the application deploys the chart under the release and in the namespace that it was rendered for."""
        return app in self.of_chart and (app.release, app.namespace) == (self.release, self.bundle.namespace)

    def is_elsewhere(self, app: Application) -> bool:
        """Whether the application deploys the chart to another environment than the one it was rendered for, as far as that is told."""
        return app in self.of_chart and not self.as_rendered(app) and any(map(self.as_rendered, self.of_chart))

    def resources(self, app: Application) -> tuple[Object, ...]:
        """The objects that the application deploys, as far as they are known."""
        found: list[Object] = list(self.bundle.rendered) if self.as_rendered(app) else []
        for source in app.sources:
            if self.folder_of(source) is not None:
                found += self.folders.get(source.folder, ())
        return tuple(found)


def leads_out(path: str) -> bool:
    """Whether a path leads out of the repository, where Argo CD does not follow."""
    return ".." in PurePosixPath(normpath(path.strip("/") or ".")).parts

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a chart: renders it as the environment would, and holds every object to the rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path as FilePath

from ..examination import Inspection
from ..manifests import helm
from ..manifests.bundle import Bundle, Version, Versions
from ..manifests.rules import hold
from ..manifests.schema import packaged
from . import containers, disruption, lifecycle, network, plain_secrets, pod_security, references, selectors, validity, values_usage
from .release import Demands, Release
from .source import read_source

# In the order they are judged and told: what is misspelt or refused first, then what does not hold together, then what is not fit to serve.
RULES = (
    *values_usage.RULES,
    *validity.RULES,
    *selectors.RULES,
    *references.RULES,
    *network.RULES,
    *lifecycle.RULES,
    *containers.RULES,
    *disruption.RULES,
    *pod_security.RULES,
    *plain_secrets.RULES,
)


def examine(run: Inspection) -> None:
    """Render the chart at ``chart_path`` and hold its objects to the rules."""
    versions, demands = Versions.of(run.params), Demands.of(run.params)
    if not run.params["chart_path"]:
        run.verdict.skip("dependency_missing", "chart_path is empty, so there is nothing to render", "Set sidecar_chart_path.")
        return
    try:
        rendered = helm.render(run.params)
    except helm.HelmMissing as missing:
        run.verdict.skip("dependency_missing", f"the chart was not rendered: {missing.reason}", missing.action)
        return
    run.verdict.record(chart=f"{rendered.chart_name} {rendered.chart_version}", helm=rendered.helm_version)
    some = run.verdict.expect(
        "the chart renders objects",
        bool(rendered.objects),
        reason_code="nothing-rendered",
        expected="at least one object",
        observed=f"none of {rendered.chart_name or run.params['chart_path']}",
        action="Look for the values that switch everything off.",
    )
    run.verdict.examine("rendered objects", len(rendered.objects))
    if some:
        bundle = Bundle(
            rendered=rendered.objects,
            values=rendered.values,
            namespace=run.params["namespace"],
            production=run.params["production"],
            versions=versions,
        )
        source = read_source(FilePath(run.params["chart_path"]), run.params["values_files"], rendered.values)
        release = Release(bundle, demands, source)
        _tell_what_is_open(run, release)
        hold(run, RULES, release)


def _tell_what_is_open(run: Inspection, release: Release) -> None:
    """Name what was counted, and what nobody judged."""
    run.verdict.record(
        objects_by_kind=dict(sorted(Counter(one.kind for one in release.objects).items())),
        taken_as_there=references.taken_as_there(release),
    )
    if release.source.not_followed:
        run.verdict.record(values_not_examined=release.source.not_followed)
    known, asked = packaged(release.bundle.versions.kubernetes), release.bundle.versions.kubernetes[:2]
    if known != asked:
        run.verdict.record(kubernetes_schemas=f"those of {_dotted(known)}, the newest there are for {_dotted(asked)}")
    unknown = validity.kinds_unknown(release)
    if unknown:
        run.verdict.inconclusive(
            "schema-unknown",
            f"there is no schema to judge {', '.join(unknown)} by",
            "Name kinds that are validated elsewhere in kinds_without_schema (sidecar_kinds_without_schema).",
        )


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a cluster: renders the chart as the environment would, and holds what is live against it."""

from __future__ import annotations

from collections import Counter, defaultdict

from ..examination import Inspection
from ..faults import CheckError
from ..manifests import helm
from ..manifests.bundle import Bundle, Versions
from ..manifests.rules import hold
from ..redaction import MAX_ITEMS
from .cluster import Asked, Cluster, lasting, questions
from .rules import RULES, Deployment

# What kubernetes.core says where its Python library is missing.
_LIBRARY_MISSING = "Failed to import the required Python library"


def examine(run: Inspection) -> None:
    """Hold what was read of the cluster (``reads``) against the chart at ``chart_path``; without it, say what has to be read."""
    if not run.params["chart_path"]:
        run.verdict.skip("dependency_missing", "chart_path is empty, so there is nothing to compare with", "Set sidecar_chart_path.")
        return
    try:
        rendered = helm.render(run.params)
    except helm.HelmMissing as missing:
        run.verdict.skip("dependency_missing", f"the chart was not rendered: {missing.reason}", missing.action)
        return
    run.verdict.record(chart=f"{rendered.chart_name} {rendered.chart_version}", helm=rendered.helm_version)
    bundle = Bundle(rendered.objects, values=rendered.values, namespace=run.params["namespace"], versions=Versions.of(run.params))
    if run.params["reads"] is None:
        run.verdict.record(to_read=_to_read(questions(bundle)))
        run.verdict.skip("dependency_missing", "nothing was read of a cluster", "Run the check by its action, or hand over reads.")
        return
    _compare(run, bundle, Cluster.of(run.params["reads"]))


def _compare(run: Inspection, bundle: Bundle, cluster: Cluster) -> None:
    if cluster.unread and len(cluster.unread) == len(run.params["reads"]):
        reason = next(iter(cluster.unread.values()))
        if _LIBRARY_MISSING in reason:
            run.verdict.skip("dependency_missing", f"the cluster was not read: {reason}", "Install it where the check runs.")
            return
        raise CheckError(
            "cluster-unreadable", f"the cluster cannot be read: {reason}", "Correct sidecar_kubeconfig, or the account's rights."
        )
    for asked, reason in sorted(cluster.unread.items()):
        run.verdict.inconclusive("live-unread", f"{asked} cannot be read: {reason}", "Let the account of the check get and list it.")
    deployment = Deployment(bundle, cluster, run.params["release"], tuple(run.params["live_ignore"]))
    run.verdict.examine("objects looked for", len(deployment.expected))
    run.verdict.examine("live objects", len(deployment.twins))
    run.verdict.record(
        live_by_kind=dict(sorted(Counter(live.kind for _one, live in deployment.twins).items())),
        hooks_not_compared=len(bundle.rendered) - len(list(lasting(bundle.rendered))),
        live_ignored=list(deployment.ignored),
    )
    hold(run, RULES, deployment)


def _to_read(asked: list[Asked]) -> dict[str, dict[str, list[str]]]:
    """The questions as evidence: namespaces by API version and kind, each with the name after a slash where one object is meant.

    Raises CheckError where evidence cannot hold them all.
    """
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in asked:
        found[one.api_version][one.kind].append(f"{one.namespace}/{one.name}" if one.name else one.namespace)
    sizes = [len(found), *map(len, found.values()), *(len(places) for kinds in found.values() for places in kinds.values())]
    most = max(sizes)
    if most > MAX_ITEMS:
        reason = f"the chart needs {most} reads of one sort, more than the {MAX_ITEMS} that are made here"
        raise CheckError("too-much-to-read", reason, "Read the cluster in a task of your own, and hand over reads.")
    return {api_version: dict(kinds) for api_version, kinds in found.items()}

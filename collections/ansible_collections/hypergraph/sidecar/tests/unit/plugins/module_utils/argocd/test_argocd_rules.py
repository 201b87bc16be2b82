# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule on Argo CD finds what it is for in a delivery that is sound but for one thing, and nothing in what only looks like it."""

from __future__ import annotations

import dataclasses
from pathlib import Path as FilePath
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.argocd import destinations, schema, sources, syncing
from ansible_collections.hypergraph.sidecar.plugins.module_utils.argocd.delivery import Delivery
from ansible_collections.hypergraph.sidecar.plugins.module_utils.argocd.sources import pinned
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.rules import Outcome
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.argocd.deliveries import (
    KEDA,
    POOLS,
    PROJECT,
    SHOP,
    SPEC,
    delivery,
    made_checkout,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

STAGING = ("spec", "generators", 0, "list", "elements", 0)
IN = ("metadata", "namespace")
WEB = "Deployment/web"
WAVE = ("metadata", "annotations", "argocd.argoproj.io/sync-wave")
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop-pools"}}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "scaledobjects.keda.sh", "annotations": {"argocd.argoproj.io/sync-wave": "1"}},
    "spec": {"group": "keda.sh"},
}


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> FilePath:
    return made_checkout(tmp_path_factory.mktemp("deploy"))


def broken(rule: str, judged: Delivery) -> list[Outcome]:
    return [outcome for outcome in RULES[rule].judge(judged) if not outcome.ok]


OURS = [*schema.RULES, *sources.RULES, *destinations.RULES, *syncing.RULES]
RULES = {rule.id: rule for rule in OURS}
TWIN = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "twin", "namespace": "argocd"},
    "spec": {
        "project": "shop",
        "source": {
            "repoURL": "https://charts.example.org/keda",
            "chart": "keda",
            "targetRevision": "2.20.2",
            "helm": {"releaseName": "keda"},
        },
        "destination": {"name": "in-cluster", "namespace": "keda"},
    },
}


MAKER = {**TWIN, "spec": {**TWIN["spec"], "syncPolicy": {"syncOptions": ["CreateNamespace=true"]}}}
POOLS_SOURCE = {"repoURL": "https://git.example.org/shop/deploy", "path": "pools"}
ELSEWHERE = "https://git.example.org/shop/elsewhere"
# What a generator makes that only Argo CD can expand.
OPEN: Edit = (SHOP, ("spec", "generators"), [{"clusters": {}}])


def twin(**spec: Any) -> dict[str, Any]:
    return {**TWIN, "spec": {**TWIN["spec"], **spec}}


VIOLATIONS: list[tuple[str, list[Edit], str]] = [
    ("argocd-schema-broken", [("Namespace/shop-pools", (), {**NAMESPACE, "specs": {}})], "specs"),
    ("argocd-schema-broken", [(KEDA, ("apiVersion",), "argoproj.io/v1")], "argoproj.io/v1"),
    ("argocd-schema-broken", [(SHOP, (*SPEC, "syncPolicy", "automated", "selfheal"), True)], "selfheal"),
    ("source-ambiguous", [(KEDA, ("spec", "sources"), [{"repoURL": "https://git.example.org/shop/a", "path": "a"}])], "source and sources"),
    ("source-ambiguous", [(KEDA, ("spec", "source"), GONE)], "none"),
    ("source-ambiguous", [(KEDA, ("spec", "source", "path"), "charts")], "both"),
    ("source-ambiguous", [(POOLS, ("spec", "source", "path"), GONE)], "neither"),
    ("source-ambiguous", [(POOLS, ("spec", "source"), {"repoURL": "https://git.example.org/shop/deploy", "ref": "a"})], "neither"),
    ("source-ambiguous", [(SHOP, (*SPEC, "sources", 1, "ref"), GONE)], "neither"),
    ("source-ambiguous", [(KEDA, ("spec", "source", "targetRevision"), GONE)], "none"),
    ("source-ambiguous", [(KEDA, ("spec", "source", "ref"), "values")], "ref on chart keda"),
    ("source-ambiguous", [(KEDA, ("spec", "source", "kustomize"), {"namePrefix": "a"})], "helm and kustomize"),
    ("source-path-missing", [(POOLS, ("spec", "source", "path"), "pool")], "pool is not there"),
    ("source-path-missing", [(POOLS, ("spec", "source", "path"), "empty")], "empty is not there"),
    ("source-path-missing", [(POOLS, ("spec", "source", "helm"), {"releaseName": "pools"})], "no Chart.yaml in pools"),
    ("source-path-missing", [(SHOP, (*SPEC, "sources", 0, "path"), "charts/{{.env}}")], "charts/staging"),
    ("value-file-missing", [(SHOP, (*SPEC, "sources", 0, "helm", "valueFiles", 0), "values-{{.env}}s.yaml")], "values-productions.yaml"),
    ("value-file-missing", [(SHOP, (*SPEC, "sources", 0, "helm", "valueFiles", 1), "/commons.yaml")], "/commons.yaml"),
    ("value-file-missing", [(SHOP, (*SPEC, "sources", 0, "helm", "valueFiles", 2), "$settings/setting.yaml")], "$settings/setting.yaml"),
    ("value-file-missing", [(SHOP, (*SPEC, "sources", 1, "ref"), "values")], "$settings/settings.yaml"),
    ("value-file-missing", [(SHOP, (*SPEC, "sources", 0, "helm", "valueFiles", 0), "../../../common.yaml")], "../../../common.yaml"),
    ("source-path-missing", [(POOLS, ("spec", "source", "path"), "pools/../../pools")], "pools/../../pools"),
    ("revision-not-pinned", [(POOLS, ("spec", "source", "targetRevision"), "HEAD")], "HEAD in pools"),
    ("revision-not-pinned", [(POOLS, ("spec", "source", "targetRevision"), GONE)], "nothing, which is HEAD"),
    ("revision-not-pinned", [(KEDA, ("spec", "source", "targetRevision"), "2.20.*")], "2.20.*"),
    ("revision-not-pinned", [(SHOP, ("spec", "generators", 0, "list", "elements", 1, "revision"), "main")], "main in shop-production"),
    # Where no application is told to be this environment's, all may be.
    (
        "revision-not-pinned",
        [(SHOP, (*STAGING, "revision"), "main"), (SHOP, (*SPEC, "destination", "namespace"), "shops")],
        "main in shop-staging",
    ),
    ("revision-not-pinned", [(KEDA, ("spec", "source", "targetRevision"), "*"), (SHOP, (*STAGING, "revision"), "main")], "* in keda"),
    ("destination-ambiguous", [(KEDA, ("spec", "destination", "name"), "in-cluster")], "server and name"),
    ("destination-ambiguous", [(KEDA, ("spec", "destination", "server"), GONE)], "neither"),
    ("project-missing", [(KEDA, ("spec", "project"), "shops")], "shops, there is shop"),
    ("project-missing", [(KEDA, ("spec", "project"), GONE)], "none, there is shop"),
    ("project-forbids-source", [(KEDA, ("spec", "source", "repoURL"), "https://charts.example.org/kedacore")], "kedacore"),
    ("project-forbids-source", [(POOLS, ("spec", "source", "repoURL"), "https://git.example.org/shop/a/b")], "shop/a/b"),
    ("project-forbids-source", [(PROJECT, ("spec", "sourceRepos"), ["*", "!https://git.example.org/shop/*"])], "shop/deploy.git"),
    ("project-forbids-source", [(PROJECT, ("spec", "sourceRepos"), GONE)], "charts.example.org"),
    ("project-forbids-destination", [(KEDA, ("spec", "destination", "namespace"), "kedas")], "namespace kedas"),
    ("project-forbids-destination", [(KEDA, ("spec", "destination", "server"), "https://other.example.org")], "https://other.example.org"),
    ("project-forbids-destination", [(PROJECT, ("spec", "destinations", 2), {"server": "*", "namespace": "!shop-pools"})], "shop-pools"),
    ("project-forbids-destination", [("Deployment/web", ("metadata", "namespace"), "kube-system")], "kube-system"),
    ("project-forbids-kind", [(PROJECT, ("spec", "clusterResourceWhitelist"), GONE)], "NodePool of karpenter.sh"),
    ("project-forbids-kind", [(PROJECT, ("spec", "clusterResourceBlacklist"), [{"group": "*", "kind": "NodePool"}])], "NodePool"),
    ("project-forbids-kind", [(PROJECT, ("spec", "namespaceResourceBlacklist"), [{"group": "apps", "kind": "*"}])], "Deployment of apps"),
    ("project-forbids-kind", [(PROJECT, ("spec", "namespaceResourceWhitelist"), [{"group": "apps", "kind": "*"}])], "ScaledObject"),
    ("namespace-missing", [(SHOP, (*SPEC, "syncPolicy", "syncOptions", 0), "CreateNamespace=false")], "shop-production"),
    ("namespace-missing", [(POOLS, ("spec", "syncPolicy", "syncOptions"), GONE)], "shop-pools"),
    # The NodePool that the application brings is named cpu, and is no namespace.
    ("namespace-missing", [(POOLS, ("spec", "syncPolicy"), GONE), (POOLS, ("spec", "destination", "namespace"), "cpu")], "namespace cpu"),
    ("namespace-missing", [(KEDA, ("spec", "syncPolicy"), GONE), (KEDA, WAVE, "0"), ("Application/twin", (), MAKER)], "namespace keda"),
    ("namespace-metadata-inert", [(POOLS, ("spec", "syncPolicy", "syncOptions"), ["PruneLast=true"])], "without in pools"),
    ("chart-deployed-otherwise", [(SHOP, (*SPEC, "sources", 0, "helm", "releaseName"), "web")], "release web in shop-production"),
    ("sync-option-unknown", [(KEDA, ("spec", "syncPolicy", "syncOptions", 0), "CreateNamespaces=true")], "CreateNamespaces=true"),
    ("sync-option-unknown", [(KEDA, ("spec", "syncPolicy", "syncOptions", 0), "CreateNamespace: true")], "CreateNamespace: true"),
    ("sync-option-unknown", [(KEDA, ("spec", "syncPolicy", "syncOptions", 0), "CreateNamespace")], "CreateNamespace"),
    ("sync-wave-invalid", [(KEDA, WAVE, "first")], "first"),
    ("sync-wave-invalid", [(KEDA, WAVE, -2)], "-2"),
    ("sync-wave-invalid", [("Deployment/web", WAVE, "1.5")], "1.5"),
    ("self-heal-fights-autoscaler", [(SHOP, (*SPEC, "ignoreDifferences"), [])], "without ignoreDifferences"),
    (
        "self-heal-fights-autoscaler",
        [(SHOP, (*SPEC, "syncPolicy", "syncOptions"), ["CreateNamespace=true"])],
        "without RespectIgnoreDifferences=true",
    ),
    ("self-heal-fights-autoscaler", [(SHOP, (*SPEC, "ignoreDifferences", 0, "name"), "webs")], "without ignoreDifferences"),
    # Group and kind are patterns, of which an empty group is the core group; a name is a name.
    ("self-heal-fights-autoscaler", [(SHOP, (*SPEC, "ignoreDifferences", 0, "group"), GONE)], "without ignoreDifferences"),
    ("self-heal-fights-autoscaler", [(SHOP, (*SPEC, "ignoreDifferences", 0, "kind"), "Deploy")], "without ignoreDifferences"),
    ("self-heal-fights-autoscaler", [(SHOP, (*SPEC, "ignoreDifferences", 0, "name"), "*")], "without ignoreDifferences"),
    (
        "self-heal-fights-autoscaler",
        [(SHOP, (*SPEC, "ignoreDifferences", 0, "jsonPointers"), ["/spec/replica"])],
        "without ignoreDifferences",
    ),
    (
        "self-heal-fights-autoscaler",
        [(SHOP, (*SPEC, "ignoreDifferences", 0, "namespace"), "a"), (WEB, IN, "b"), ("ScaledObject/web", IN, "b")],
        "without ignoreDifferences",
    ),
    ("custom-resource-before-definition", [(KEDA, WAVE, "0")], "defined by keda in wave 0"),
    ("custom-resource-before-definition", [("CustomResourceDefinition/x", (), DEFINITION)], "keda.sh defined in wave 1, used in wave 0"),
    ("resource-in-two-applications", [("Application/twin", (), TWIN)], "Application/keda and Application/twin"),
    (
        "resource-in-two-applications",
        [
            (
                "Application/twin",
                (),
                twin(
                    source={"repoURL": "https://git.example.org/shop/deploy", "path": "pools"},
                    destination={"name": "in-cluster", "namespace": "shop-pools"},
                ),
            )
        ],
        "Application/pools and Application/twin",
    ),
    (
        "resource-in-two-applications",
        # A NodePool is in no namespace, whichever the applications go to.
        [("Application/twin", (), twin(source=POOLS_SOURCE, destination={"name": "in-cluster", "namespace": "shop-2"}))],
        "Application/pools and Application/twin",
    ),
    ("automation-inert", [(SHOP, (*SPEC, "syncPolicy", "automated", "enabled"), False)], "prune, selfHeal"),
    ("prune-may-empty", [(KEDA, ("spec", "syncPolicy", "automated", "allowEmpty"), True)], "both in keda"),
    ("deletion-unsaid", [(SHOP, ("spec", "syncPolicy"), GONE)], "neither"),
]

NEAR_MISSES: list[tuple[str, list[Edit]]] = [
    ("argocd-schema-broken", [(SHOP, (*SPEC, "syncPolicy", "automated"), None), ("Namespace/shop-pools", (), NAMESPACE)]),
    ("source-ambiguous", [(POOLS, ("spec", "source", "directory"), {"recurse": True})]),
    (
        "source-ambiguous",
        [
            (POOLS, ("spec", "source"), GONE),
            (
                POOLS,
                ("spec", "sourceHydrator"),
                {"drySource": {"repoURL": "https://git.example.org/shop/deploy", "path": "pools", "targetRevision": "v1.0.0"}},
            ),
        ],
    ),
    ("source-path-missing", [(POOLS, ("spec", "source"), {"repoURL": "https://git.example.org/shop/other", "path": "nowhere"})]),
    ("source-path-missing", [(SHOP, (*SPEC, "sources", 0, "path"), "charts/{{.other}}")]),
    ("value-file-missing", [(SHOP, (*SPEC, "sources", 0, "helm", "valueFiles", 0), "https://example.org/values.yaml")]),
    ("value-file-missing", [(SHOP, (*SPEC, "sources", 0, "helm"), {"valueFiles": ["none.yaml"], "ignoreMissingValueFiles": True})]),
    ("value-file-missing", [(SHOP, (*SPEC, "sources", 0, "helm", "valueFiles", 0), "../../common.yaml")]),
    (
        "value-file-missing",
        [(SHOP, (*SPEC, "sources", 1, "repoURL"), ELSEWHERE), (SHOP, (*SPEC, "sources", 0, "helm", "valueFiles", 2), "$settings/a")],
    ),
    ("value-file-missing", [(SHOP, (*SPEC, "sources", 0, "path"), "charts/shops")]),
    ("revision-not-pinned", [(POOLS, ("spec", "source", "targetRevision"), "refs/tags/stable")]),
    ("revision-not-pinned", [(SHOP, (*STAGING, "revision"), "main")]),
    ("revision-not-pinned", [(POOLS, ("spec", "source", "targetRevision"), "{{.unknown}}")]),
    ("destination-ambiguous", [(KEDA, ("spec", "destination"), {"name": "in-cluster", "namespace": "keda"})]),
    ("project-missing", [(KEDA, ("spec", "project"), "default")]),
    ("project-missing", [(PROJECT, (), GONE)]),
    ("project-forbids-source", [(POOLS, ("spec", "source", "repoURL"), "https://GIT.example.org/shop/other/")]),
    ("project-forbids-source", [(PROJECT, ("spec", "sourceRepos"), ["*"])]),
    ("project-forbids-source", [(PROJECT, ("spec", "sourceRepos"), ["https://**", "!https://git.example.org/secret/*"])]),
    ("project-forbids-source", [(SHOP, (*SPEC, "sources", 0, "repoURL"), "{{.repository}}")]),
    ("project-forbids-destination", [(SHOP, (*SPEC, "destination", "server"), "{{.server}}")]),
    ("project-forbids-destination", [OPEN, (SHOP, (*SPEC, "destination", "namespace"), "{{.namespace}}")]),
    ("project-forbids-destination", [(KEDA, ("spec", "destination"), {"name": "elsewhere", "namespace": "keda"})]),
    ("project-forbids-destination", [(PROJECT, ("spec", "destinations", 2), {"server": "https://other", "namespace": "!shop-pools"})]),
    ("project-forbids-kind", [(PROJECT, ("spec", "clusterResourceWhitelist"), [{"group": "*", "kind": "*"}])]),
    ("project-forbids-kind", [(PROJECT, ("spec", "namespaceResourceBlacklist"), [{"group": "apps", "kind": "DaemonSet"}])]),
    ("namespace-missing", [(POOLS, ("spec", "syncPolicy", "syncOptions"), GONE), ("Namespace/shop-pools", (), NAMESPACE)]),
    ("namespace-missing", [(POOLS, ("spec", "syncPolicy", "syncOptions"), GONE), (POOLS, ("spec", "destination", "namespace"), "keda")]),
    (
        "namespace-missing",
        [(POOLS, ("spec", "syncPolicy", "syncOptions"), GONE), (POOLS, ("spec", "destination", "namespace"), "kube-system")],
    ),
    ("namespace-missing", [OPEN, (SHOP, (*SPEC, "syncPolicy"), GONE)]),
    ("namespace-missing", [(KEDA, ("spec", "syncPolicy"), GONE), (KEDA, WAVE, "1"), ("Application/twin", (), MAKER)]),
    ("namespace-metadata-inert", [(POOLS, ("spec", "syncPolicy"), {"managedNamespaceMetadata": {}})]),
    ("chart-deployed-otherwise", [OPEN]),
    ("chart-deployed-otherwise", [(SHOP, ("spec", "generators", 0, "list", "elements", 0, "env"), "test")]),
    ("sync-option-unknown", [(KEDA, ("spec", "syncPolicy", "syncOptions"), ["PrunePropagationPolicy=background", "Prune=confirm"])]),
    ("sync-option-unknown", [(KEDA, ("spec", "syncPolicy", "syncOptions"), ["{{.option}}"])]),
    ("self-heal-fights-autoscaler", [(SHOP, (*SPEC, "ignoreDifferences", 0, "namespace"), "shop-production")]),
    ("self-heal-fights-autoscaler", [(SHOP, (*SPEC, "ignoreDifferences", 0, "kind"), "{Deploy,StatefulS}*")]),
    ("self-heal-fights-autoscaler", [(SHOP, (*SPEC, "ignoreDifferences", 0, "name"), GONE)]),
    ("custom-resource-before-definition", [(KEDA, WAVE, "0"), (SHOP, WAVE, "1")]),
    ("custom-resource-before-definition", [(KEDA, WAVE, "0"), (KEDA, ("spec", "destination"), {"name": "elsewhere", "namespace": "keda"})]),
    ("sync-wave-invalid", [(KEDA, WAVE, "+3")]),
    ("self-heal-fights-autoscaler", [("Deployment/web", ("spec", "replicas"), GONE), (SHOP, (*SPEC, "ignoreDifferences"), [])]),
    (
        "self-heal-fights-autoscaler",
        [(SHOP, (*SPEC, "syncPolicy", "automated", "selfHeal"), False), (SHOP, (*SPEC, "ignoreDifferences"), [])],
    ),
    (
        "self-heal-fights-autoscaler",
        [(SHOP, (*SPEC, "ignoreDifferences"), [{"group": "*", "kind": "*", "jqPathExpressions": [".spec.replicas"]}])],
    ),
    (
        "custom-resource-before-definition",
        [(KEDA, WAVE, "0"), (SHOP, (*SPEC, "syncPolicy", "syncOptions", 0), "SkipDryRunOnMissingResource=true")],
    ),
    (
        "custom-resource-before-definition",
        [
            (KEDA, WAVE, "0"),
            (
                "ScaledObject/web",
                ("metadata", "annotations", "argocd.argoproj.io/sync-options"),
                "Prune=false, SkipDryRunOnMissingResource=true",
            ),
        ],
    ),
    (
        "custom-resource-before-definition",
        [("CustomResourceDefinition/x", (), DEFINITION), ("ScaledObject/web", WAVE, "1")],
    ),
    ("resource-in-two-applications", [("Application/twin", (), twin(destination={"name": "in-cluster", "namespace": "keda-2"}))]),
    ("resource-in-two-applications", [("Application/twin", (), twin(destination={"name": "elsewhere", "namespace": "keda"}))]),
    ("automation-inert", [(SHOP, (*SPEC, "syncPolicy", "automated"), {"enabled": False, "prune": False})]),
    ("prune-may-empty", [(KEDA, ("spec", "syncPolicy", "automated"), {"allowEmpty": True})]),
    ("deletion-unsaid", [(SHOP, ("spec", "syncPolicy"), {"preserveResourcesOnDeletion": False})]),
    (
        "deletion-unsaid",
        [
            (SHOP, ("spec", "syncPolicy"), GONE),
            (SHOP, ("spec", "template", "metadata", "finalizers"), ["resources-finalizer.argocd.argoproj.io"]),
        ],
    ),
]


def test_the_reference_keeps_to_every_rule_and_every_rule_looks_at_it(checkout: FilePath) -> None:
    judged = delivery(checkout)
    assert [app.name for app in judged.applications] == ["keda", "pools", "shop-staging", "shop-production"]
    assert [app.name for app in judged.of_chart] == ["shop-staging", "shop-production"]
    for rule in OURS:
        assert list(map(str, broken(rule.id, judged))) == [], rule.id
        assert list(rule.judge(judged)), rule.id


@pytest.mark.parametrize(("rule", "edits", "told"), VIOLATIONS)
def test_a_violation_is_found_and_told(checkout: FilePath, rule: str, edits: list[Edit], told: str) -> None:
    found = broken(rule, delivery(checkout, *edits))
    assert any(told in outcome.observed for outcome in found), list(map(str, found))


@pytest.mark.parametrize(("rule", "edits"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(checkout: FilePath, rule: str, edits: list[Edit]) -> None:
    assert list(map(str, broken(rule, delivery(checkout, *edits)))) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert len(OURS) == 21
    assert {rule.id for rule in OURS} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}


@pytest.mark.parametrize(
    ("revision", "stays"),
    [
        ("v1.4.2", True),
        ("1.4.2", True),
        ("1.4.2+build.5", True),
        ("v1.5.0-rc.1", True),
        ("shop/v1.4.2", True),
        ("shop-1.4.2", True),
        ("refs/tags/v1.4", True),
        ("0123456789abcdef0123456789abcdef01234567", True),
        ("2026-11-21", True),
        ("build-512", True),
        ("", False),
        ("HEAD", False),
        ("main", False),
        ("Main", False),
        ("refs/heads/v1.4.2", False),
        ("release/1.4", False),
        ("release-1.4", False),
        ("feature/faster", False),
        ("feature/upgrade-1.4.2", False),
        ("production", False),
        ("*", False),
        ("1.*", False),
        ("1.4", False),
        ("v1", False),
        ("1.4.x", False),
        ("~1.4.2", False),
        ("^1.4.2", False),
        (">=1.4.2", False),
        (">=1.0.0 <2.0.0", False),
        ("1.0.0 - 2.0.0", False),
        ("1.4.2 || 1.5.0", False),
        ("gitops", False),
    ],
)
def test_a_revision_is_pinned_if_it_stays_what_it_is(revision: str, stays: bool) -> None:
    assert pinned(revision) is stays


def test_revisions_may_move_outside_of_production(checkout: FilePath) -> None:
    moving: Edit = (POOLS, ("spec", "source", "targetRevision"), "HEAD")
    assert list(RULES["revision-not-pinned"].judge(delivery(checkout, moving, production=False))) == []


def test_without_a_checkout_the_chart_is_known_by_its_path_and_files_are_not_looked_for() -> None:
    judged = delivery(None)
    assert [app.name for app in judged.of_chart] == ["shop-staging", "shop-production"]
    assert list(RULES["source-path-missing"].judge(judged)) == []
    # The ref of a value file is known without a checkout.
    assert len(list(RULES["value-file-missing"].judge(judged))) == 2


def test_what_is_not_read_is_told_apart_by_where_it_comes_from_and_goes() -> None:
    same = twin(source=POOLS_SOURCE, destination={"name": "in-cluster", "namespace": "shop-pools"})
    found = broken("resource-in-two-applications", delivery(None, ("Application/twin", (), same)))
    assert [outcome.observed for outcome in found] == ["Application/pools and Application/twin"]
    other = twin(source={**POOLS_SOURCE, "path": "{{.path}}"}, destination={"name": "in-cluster", "namespace": "shop-pools"})
    both: list[Edit] = [("Application/twin", (), other), ("Application/more", (), {**other, "metadata": {"name": "more"}})]
    assert broken("resource-in-two-applications", delivery(None, *both)) == []


def test_a_checkout_may_be_of_a_folder_of_the_repository(checkout: FilePath) -> None:
    whole = delivery(
        checkout, (SHOP, (*SPEC, "sources", 0, "path"), "deploy/charts/shop"), (POOLS, ("spec", "source", "path"), "deploy/pool")
    )
    part = dataclasses.replace(whole, repository_folder="deploy/")
    assert [outcome.observed for outcome in broken("source-path-missing", part)] == ["deploy/pool is not there"]
    # /common.yaml and $settings/settings.yaml are in the part of the repository that is not at hand.
    assert broken("value-file-missing", part) == []
    assert [app.name for app in part.of_chart] == ["shop-staging", "shop-production"]


def test_a_published_chart_is_known_by_its_name(checkout: FilePath) -> None:
    published = {"repoURL": "https://charts.example.org/keda", "chart": "shop", "targetRevision": "1.0.0", "helm": {"releaseName": "shop"}}
    judged = delivery(checkout, (SHOP, (*SPEC, "sources"), [published]))
    assert [app.name for app in judged.of_chart] == ["shop-staging", "shop-production"]


NAME = ("spec", "template", "metadata", "name")
LISTS = ("spec", "generators", 0, "list")
SCALARS = [{"a": {"b": "c"}, "n": 7, "t": True}]


@pytest.mark.parametrize(
    ("edits", "names"),
    [
        ([(SHOP, ("spec", "generators"), [{"git": {"repoURL": "x", "revision": "y"}}])], ["shop-{{.env}}"]),
        ([(SHOP, ("spec", "generators"), [{"clusters": {}}, {"list": {"elements": [{"env": "a"}]}}])], ["shop-{{.env}}", "shop-a"]),
        ([(SHOP, (*LISTS, "elementsYaml"), "[]")], ["shop-{{.env}}"]),
        ([(SHOP, (*LISTS, "template"), {"metadata": {"name": "own-{{env}}"}})], ["own-staging", "own-production"]),
        ([(SHOP, (*LISTS, "elements"), [{"env": {"name": "x"}}])], ["shop-{{.env}}"]),
        ([(SHOP, NAME, "{{.a.b}}-{{ .n }}-{{.t}}"), (SHOP, (*LISTS, "elements"), SCALARS)], ["c-7-true"]),
        ([(SHOP, NAME, "{{ .env | upper }}")], ["{{ .env | upper }}"] * 2),
        ([(SHOP, ("spec", "templatePatch"), "spec: {}")], []),
    ],
)
def test_an_application_set_makes_what_its_lists_say(checkout: FilePath, edits: list[Edit], names: list[str]) -> None:
    assert [app.name for app in delivery(checkout, *edits).applications if app.object.kind == "ApplicationSet"] == names


@pytest.mark.parametrize("rubbish", [None, 7, "text", [], [7, None], {"a": 7}, True])
@pytest.mark.parametrize(
    "place",
    [
        (KEDA, ("spec",)),
        (KEDA, ("spec", "source")),
        (KEDA, ("spec", "source", "helm")),
        (KEDA, ("spec", "source", "chart")),
        (KEDA, ("spec", "source", "repoURL")),
        (KEDA, ("spec", "source", "targetRevision")),
        (KEDA, ("spec", "sources")),
        (KEDA, ("spec", "destination")),
        (KEDA, ("spec", "destination", "server")),
        (KEDA, ("spec", "project")),
        (KEDA, ("spec", "syncPolicy")),
        (KEDA, ("spec", "syncPolicy", "automated")),
        (KEDA, ("spec", "syncPolicy", "syncOptions")),
        (KEDA, ("metadata", "annotations")),
        (PROJECT, ("spec",)),
        (PROJECT, ("spec", "sourceRepos")),
        (PROJECT, ("spec", "destinations")),
        (PROJECT, ("spec", "destinations", 0, "namespace")),
        (PROJECT, ("spec", "clusterResourceWhitelist")),
        (SHOP, ("spec", "generators")),
        (SHOP, ("spec", "generators", 0, "list")),
        (SHOP, ("spec", "generators", 0, "list", "elements")),
        (SHOP, ("spec", "template")),
        (SHOP, ("spec", "template", "metadata")),
        (SHOP, (*SPEC, "sources", 0, "helm", "valueFiles")),
        (SHOP, (*SPEC, "sources", 0, "helm", "releaseName")),
        (SHOP, (*SPEC, "ignoreDifferences")),
        (SHOP, (*SPEC, "ignoreDifferences", 0, "jsonPointers")),
        (SHOP, ("spec", "syncPolicy")),
    ],
)
def test_no_rule_breaks_over_rubbish(checkout: FilePath, place: tuple[str, Any], rubbish: Any) -> None:
    name, path = place
    judged = delivery(checkout, (name, path, rubbish))
    for rule in OURS:
        for outcome in rule.judge(judged):
            assert str(outcome)

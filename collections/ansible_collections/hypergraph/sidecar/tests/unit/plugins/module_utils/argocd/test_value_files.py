# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value file is looked for where Argo CD does, with build variables in place and patterns expanded from the version on that does."""

from __future__ import annotations

from pathlib import Path as FilePath

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.argocd import sources
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Version
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.argocd.deliveries import SHOP, SPEC, delivery, made_checkout
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import Edit

(RULE,) = (rule for rule in sources.RULES if rule.id == "value-file-missing")
VALUE_FILES = (*SPEC, "sources", 0, "helm", "valueFiles")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> FilePath:
    """The chart has values by environment, by application, and in folders; each application a file named as it is."""
    root = made_checkout(tmp_path_factory.mktemp("deploy"))
    for name in ("envs/eu/a.yaml", "envs/us/deep/b.yaml", "shop-staging/own.yaml", "shop-production/own.yaml", "shop-shop.yaml", "v1.yaml"):
        file = root / "charts/shop" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}\n")
    for name in ("shop-staging.yaml", "shop-production.yaml"):
        (root / "charts/shop" / name).write_text("{}\n")
    return root


def missing(root: FilePath, written: str, argocd: Version = (3, 5)) -> list[str]:
    edit: Edit = (SHOP, VALUE_FILES, [written])
    return [str(outcome) for outcome in RULE.judge(delivery(root, edit, argocd=argocd)) if not outcome.ok]


@pytest.mark.parametrize(
    "written",
    [
        "envs/*/a.yaml",
        "envs/**/*.yaml",
        "envs/**",
        "envs/**/deep/?.yaml",
        "/charts/*/values-[sp]*.yaml",
        "$settings/charts/*/common-or-not/../values-staging.yaml",
        "$ARGOCD_APP_NAME.yaml",
        "${ARGOCD_APP_NAME}.yaml",
        "$ARGOCD_APP_NAME/*.yaml",
        "/$ARGOCD_APP_SOURCE_PATH/${ARGOCD_APP_NAMESPACE}.yaml",
        "$settings/charts/shop/$ARGOCD_APP_NAME.yaml",
        "shop-$ARGOCD_APP_PROJECT_NAME.yaml",
        # Only a build knows these.
        "$ARGOCD_APP_REVISION_SHORT.yaml",
        "envs/${KUBE_VERSION}.yaml",
        # Alternatives are Argo CD's to expand.
        "envs/{eu,us}/*.yaml",
    ],
)
def test_a_file_is_found_where_argo_cd_finds_it(checkout: FilePath, written: str) -> None:
    assert missing(checkout, written) == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("envs/*.yaml", "a file in the repository that matches"),
        ("envs/*/deep", "a file in the repository that matches"),
        ("envs/$ARGOCD_APP_NAME/*.yaml", "a file in the repository that matches"),
        ("$settings/envs/*.yaml", "a file in the repository that matches"),
        ("$ARGOCD_APP_NAME.yml", "a file in the repository"),
        ("values-$ENVIRONMENT.yaml", "a file in the repository"),
        # A file whose name begins with a dollar sign.
        ("$$ARGOCD_APP_NAME.yaml", "a file in the repository"),
        ("$ARGOCD_APP_NAMES.yaml", "a source with ref ARGOCD_APP_NAMES.yaml"),
        ("$setting/settings.yaml", "a source with ref setting"),
        ("../../../*.yaml", "a file in the repository"),
    ],
)
def test_what_is_nowhere_is_told(checkout: FilePath, written: str, expected: str) -> None:
    found = missing(checkout, written)
    assert len(found) == 2, found
    assert all(f"expected {expected}" in line and written in line for line in found), found


def test_patterns_are_expanded_from_the_version_on_that_does(checkout: FilePath) -> None:
    assert missing(checkout, "envs/**/*.yaml", (3, 4)) == []
    found = missing(checkout, "envs/**/*.yaml", (3, 3))
    assert len(found) == 2
    assert all("Argo CD 3.4" in line for line in found)

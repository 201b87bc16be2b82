# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding by label finds what looking at everything finds."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.labels import Labelled
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.workloads import matches

THINGS: list[tuple[str, dict[str, Any], str]] = [
    ("a", {"app": "web", "release": "r"}, "web"),
    ("a", {"app": "db", "release": "r"}, "db"),
    ("a", {}, "bare"),
    ("a", {"app": 7}, "number"),
    ("b", {"app": "web", "release": "r"}, "elsewhere"),
]
SELECTORS: list[Any] = [
    None,
    {},
    "junk",
    {"matchLabels": {"app": "web"}},
    {"matchLabels": {"release": "r", "app": "db"}},
    {"matchLabels": {"app": "none"}},
    {"matchLabels": {"app": 7}},
    {"matchLabels": ["junk"]},
    {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
    {"matchLabels": {"release": "r"}, "matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]},
]


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize("namespace", ["a", "b", "c"])
def test_what_is_found_is_what_matches_in_the_order_given(selector: Any, namespace: str) -> None:
    index = Labelled(THINGS)
    assert index.selected(selector, namespace) == [
        thing for place, labels, thing in THINGS if place == namespace and matches(selector, labels)
    ]
    assert index.namespaces == {"a", "b"}

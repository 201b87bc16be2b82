# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands anywhere in an object, a values file or a template breaks no rule."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart import plain_secrets, references, selectors, validity, values_usage
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.release import Demands, Release
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.source import Source
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.template_flow import follow
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.template_syntax import NotATemplate, parse
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Path, Place
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chart.wired import DEMANDS, REFERENCE

JOINING = [*selectors.RULES, *references.RULES, *plain_secrets.RULES]
BODIES = list(yaml.safe_load_all(REFERENCE))
RUBBISH = [None, 7, 0.5, "text", "", True, [], [7, None, [], {}], {}, {"a": 7, "name": [], "key": {}, "kind": None}]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "name", "*", "port"]), inner, max_size=3),
    max_leaves=8,
)
PIECES = [
    *("{{", "}}", "{{-", "-}}", " ", "\n", "(", ")", "|", ":=", "=", "$", "$a", ".", ".a", ".Values", ".Values.a.b", "Root", ","),
    *(
        "if",
        "else",
        "end",
        "with",
        "range",
        "define",
        "block",
        "template",
        "include",
        "dict",
        "list",
        "index",
        "set",
        "tpl",
        "dig",
        "merge",
    ),
    *('"x"', '"', "`x`", "'c'", "1", "-2.5", "true", "nil", "/*", "*/", "not", "eq", "default", "break", "ternary", "hasKey", "get", "&"),
]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every part of an object, from the outside in."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(part, (*path, key))


def with_rubbish(body: dict[str, Any], path: Path, rubbish: Any) -> dict[str, Any]:
    changed = copy.deepcopy(body)
    part: Any = changed
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = copy.deepcopy(rubbish)
    return changed


def judge(rules: list[Any], bodies: list[dict[str, Any]]) -> None:
    objects = tuple(Object(body, Place("reference.yaml")) for body in bodies)
    for demands in (Demands(**DEMANDS), Demands()):
        judged = Release(Bundle(rendered=objects, namespace="shop"), demands)
        for rule in rules:
            assert all(str(outcome) for outcome in rule.judge(judged)), rule.id
        assert isinstance(references.taken_as_there(judged), list)
        assert isinstance(validity.kinds_unknown(judged), list)


@pytest.mark.parametrize(
    "position", range(len(BODIES)), ids=lambda position: f"{BODIES[position]['kind']}/{BODIES[position]['metadata']['name']}"
)
def test_rubbish_anywhere_in_an_object_crashes_no_rule(position: int) -> None:
    for path in places(BODIES[position]):
        for rubbish in RUBBISH:
            changed = with_rubbish(BODIES[position], path, rubbish)
            judge(JOINING, [*BODIES[:position], changed, *BODIES[position + 1 :]])
            # Alone: what schemas say of an object does not depend on others.
            judge(list(validity.RULES), [changed])


def test_an_object_without_anything_crashes_no_rule() -> None:
    judge([*JOINING, *validity.RULES], [{}, {}, {"kind": "Deployment"}, {"apiVersion": "apps/v1"}, *BODIES])


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), json_values, json_values)
def test_no_template_crashes_what_follows_it(text: str, values: Any, schema: Any) -> None:
    values = values if isinstance(values, dict) else {"a": values}
    try:
        flow = follow({"web.yaml": parse('{{ define "x" }}{{ .Values.a }}{{ end }}' + text)}, {}, values)
    except NotATemplate:
        return
    file = Object(values, Place("values.yaml"))
    source = Source(flow, "", (file,), schema if isinstance(schema, dict) else {})
    for judged in (Release(Bundle(values=values), source=source), Release(Bundle(), source=dataclasses.replace(source, files=()))):
        for rule in values_usage.RULES:
            assert all(str(outcome) for outcome in rule.judge(judged))

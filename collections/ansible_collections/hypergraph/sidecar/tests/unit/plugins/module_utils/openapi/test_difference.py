# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where two documents differ, and what makes no difference."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.difference import differences
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import sidecar

NAMES = ("file", "served")


def found(one: Any, other: Any, ignored: tuple[str, ...] = ()) -> list[str]:
    return list(differences(one, other, NAMES, ignored))


def test_the_same_document_by_way_of_json_is_equal() -> None:
    assert found(sidecar(), json.loads(json.dumps(sidecar(), sort_keys=True))) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"minimum": 1}, {"minimum": 1.0}),
        ({"required": ["a", "b"]}, {"required": ["b", "a"]}),
        ({"enum": [1, "a", None], "type": ["string", "null"]}, {"enum": [None, 1, "a"], "type": ["null", "string"]}),
    ],
)
def test_spelling_is_no_difference(one: Any, other: Any) -> None:
    assert found(one, other) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1}, {"a": True}, ["#/a is 1 in the file, true in the served"]),
        ({"a": "1"}, {"a": 1}, ['#/a is "1" in the file, 1 in the served']),
        ({"a": 1}, {"b": 1}, ["#/a only in the file", "#/b only in the served"]),
        (
            {"x/y": {"m~n": [1, 2]}},
            {"x/y": {"m~n": [2, 1]}},
            ["#/x~1y/m~0n/0 is 1 in the file, 2 in the served", "#/x~1y/m~0n/1 is 2 in the file, 1 in the served"],
        ),
        ({"a": [1]}, {"a": [1, 2]}, ["#/a is a list of 1 items in the file, a list of 2 items in the served"]),
        ({"a": {}}, {"a": []}, ["#/a is an object of 0 members in the file, a list of 0 items in the served"]),
        ({"enum": ["a"]}, {"enum": ["a", "a"]}, ["#/enum is a list of 1 items in the file, a list of 2 items in the served"]),
        ({"a": None}, {}, ["#/a only in the file"]),
        ({"a": "x" * 99}, {"a": ""}, ['#/a is "' + "x" * 59 + '… in the file, "" in the served']),
    ],
)
def test_a_difference_is_named_with_its_pointer(one: Any, other: Any, expected: list[str]) -> None:
    assert found(one, other) == expected


def test_only_declared_places_may_differ() -> None:
    one, other = {"servers": [{"url": "a"}], "info": {"contact": 1, "title": "t"}}, {"info": {"title": "u"}}
    assert found(one, other, ("/servers", "/info/contact")) == ['#/info/title is "t" in the file, "u" in the served']
    assert len(found(one, other, ("/serv", "/info/contact/name"))) == 3

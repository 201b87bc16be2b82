# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of compatible change: each with a change that breaks it, and the nearest change that does not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.compare import RULES, compare, major
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.comparisons import TODAY, rules_broken
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import (
    around,
    of_request,
    of_response,
    operation,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.labelled_changes import NARROW_AND_WIDE, ONE_WAY


@pytest.mark.parametrize(("request_rule", "response_rule", "narrow", "wide", "neighbour"), NARROW_AND_WIDE)
def test_what_may_occur_must_have_been_allowed(request_rule: str, response_rule: str, narrow: Any, wide: Any, neighbour: Any) -> None:
    assert rules_broken(of_request(wide), of_request(narrow)) == {request_rule}
    assert rules_broken(of_response(narrow), of_response(wide)) == {response_rule}

    assert rules_broken(of_request(narrow), of_request(wide)) == set()
    assert rules_broken(of_response(wide), of_response(narrow)) == set()

    for one, other in ((narrow, neighbour), (neighbour, narrow)):
        assert rules_broken(of_request(one), of_request(other)) == set()
        assert rules_broken(of_response(one), of_response(other)) == set()


@pytest.mark.parametrize(("rule", "released", "breaking", "compatible"), ONE_WAY)
def test_a_break_is_found_and_its_neighbour_is_not(rule: str, released: Any, breaking: Any, compatible: Any) -> None:
    assert rules_broken(released, breaking) == {rule}
    assert rules_broken(released, compatible) == set()
    assert rules_broken(released, released) == set()


def test_every_rule_has_a_break_and_a_neighbour() -> None:
    tried = {rule for row in NARROW_AND_WIDE for rule in row[:2]} | {row[0] for row in ONE_WAY}
    assert tried == RULES


@pytest.mark.parametrize(
    ("operation_of_before", "told"),
    [
        (operation(deprecated=True, **{"x-sunset": "2026-05-31"}), []),
        (operation(deprecated=True, **{"x-sunset": "2026-06-02"}), ["x-sunset 2026-06-02"]),
        (operation(deprecated=True, **{"x-sunset": "soon"}), ["x-sunset soon"]),
        (operation(deprecated=True, **{"x-sunset": None}), ["x-sunset None"]),
        (operation(**{"x-sunset": "2020-01-01"}), ["operation-removed"]),
    ],
)
def test_an_operation_may_go_only_when_it_is_deprecated_and_after_its_sunset(operation_of_before: dict[str, Any], told: list[str]) -> None:
    found = compare(around(operation_of_before), around(operation(), path="/v1/others"), TODAY).lines
    assert len(found) == len(told)
    assert all(line.startswith("operation-removed") and part in line for line, part in zip(found, told))


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.4.0", 1), ("v2.0", 2), ("10.0.0-rc.1", 10), ("2026-01-01", None), ("first", None), (None, None)],
)
def test_major_version(version: Any, expected: int | None) -> None:
    assert major({"info": {"version": version}}) == expected
    assert major({}) is None

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading verdict documents that others wrote: what does not keep to verdict-1 is an error, whatever status it states."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.algebra import read
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import REVERT_FAILED, Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import verdict_of


def altered(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A passing verdict with the value at the path replaced."""
    document = copy.deepcopy(verdict_of("gateway_rbac", "pass"))
    document["controls"] = [copy.deepcopy(document["assertions"][0])]
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


def test_an_unaltered_verdict_is_believed() -> None:
    assert read(altered(("title",), "another title")).status == "pass"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        pytest.param(("schema",), "verdict-2", "verdict-2", id="another-schema"),
        pytest.param(("assertions", 0, "ok"), "no", "ok of a record is a str", id="text-for-truth"),
        pytest.param(("assertions", 0, "ok"), 1, "ok of a record is a int", id="number-for-truth"),
        pytest.param(("controls", 0, "ok"), None, "ok of a record", id="control-without-truth"),
        pytest.param(("assertions", 0, "name"), None, "name of a record", id="no-name"),
        pytest.param(("assertions", 0, "severity"), "low", "severity", id="unknown-field"),
        pytest.param(("assertions",), [["a"]], "mapping", id="list-for-record"),
        pytest.param(("assertions",), None, "None", id="no-assertions"),
        pytest.param(
            ("shortfalls",), [{"reason_code": "a", "reason": "b", "samples_needed": "59"}], "samples_needed", id="text-for-samples"
        ),
        pytest.param(("skips",), [{"skip_class": "bored", "reason": "b"}], "'bored'", id="unknown-skip-class"),
        pytest.param(("examined",), ["routes"], "examined is a list", id="list-for-counts"),
        pytest.param(("examined",), {"routes": "11"}, "'11'", id="text-for-count"),
        pytest.param(("examined",), {"routes": -1}, "-1", id="negative-count"),
        pytest.param(("examined",), {"routes": 1.5}, "1.5", id="half-an-object"),
        pytest.param(("examined",), {"routes": True}, "True", id="truth-for-count"),
        pytest.param(("metrics",), {"p95_seconds": float("nan")}, "nan", id="not-a-number"),
        pytest.param(("metrics",), {"p95_seconds": "fast"}, "'fast'", id="text-for-number"),
        pytest.param(("references",), "docs/a.md", "references is not a list", id="text-for-references"),
    ],
)
def test_what_does_not_keep_to_the_schema_is_an_error(path: tuple[Any, ...], value: Any, says: str) -> None:
    result = read(altered(path, value))
    assert (result.status, result.headline.reason_code) == ("error", "verdict-unreadable")
    assert says in result.headline.reason
    assert (result.examined, result.metrics, result.references) == ({}, {}, ())


def test_a_missing_list_is_an_error() -> None:
    document = verdict_of("gateway_rbac", "pass")
    del document["controls"]
    assert "'controls' is missing" in read(document).headline.reason


def test_a_huge_whole_number_is_a_number() -> None:
    assert read(altered(("metrics",), {"bytes": 10**400})).metrics == {"bytes": 10**400}


def test_a_fault_that_stayed_is_told_before_any_other_failure() -> None:
    verdict = Verdict("chaos_recovery")
    verdict.expect("p95 recovers", False, reason_code="not-recovered")
    verdict.expect("the fault is gone", False, reason_code=REVERT_FAILED)
    document = verdict.to_dict()
    assert (document["reason_code"], document["status"]) == (REVERT_FAILED, "fail")
    assert "(+1 more)" in document["reason"]

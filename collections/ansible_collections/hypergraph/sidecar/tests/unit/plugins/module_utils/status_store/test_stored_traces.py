# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the StatusStore check finds in the records: its own trace from start to end, and those of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store import records
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.records import StoredRecord, survey
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.status_store.judged_store import (
    examination,
    read_only,
    verdict_of,
    verdict_on,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.status_store.storing_explainer import (
    OLD,
    Explaining,
    record,
    replace,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.tenant_service import TenantService, serving


def test_a_sound_store_passes_and_says_what_was_examined(path: Path) -> None:
    document = verdict_on(Explaining(path))
    assert document["status"] == "pass", document["reason"]
    assert document["examined"] == {"stored records": 3, "records read twice": 2}
    assert [item["name"] for item in document["controls"]] == ["the check's own trace is found in the store"]
    own = next(item for item in document["assertions"] if "own trace" in item["name"])
    assert own["observed"] == ["queued: alpha", "complete: alpha"]
    assert document["evidence"]["states"] == {"complete": 2, "failed": 1}
    assert document["evidence"]["tenants"] == 2


@pytest.mark.parametrize(
    ("service", "reason_code", "said"),
    [
        (
            {"ending": record("shared")},
            "tenant-changed",
            "the check's own trace was filed under alpha, then shared; it was submitted by alpha",
        ),
        (
            {"starts": record("", "queued")},
            "tenant-changed",
            "the check's own trace was filed under no tenant from the start; it was submitted by alpha",
        ),
        ({"starts": record("shared", "queued")}, "tenant-changed", ""),
        ({"starts": record("shared", "queued"), "ending": record("shared")}, "tenant-changed", ""),
        ({"others": {"old-1": record("beta")}}, "tenant-changed", ""),
        ({"others": {"old-2": record("", "failed")}}, "status-store-tenant-missing", ""),
        ({"others": {"old-2": record("beta", "paused")}}, "status-store-state-unknown", ""),
        ({"others": {"old-2": record("beta", trace_id="old-1")}}, "status-store-id-ambiguous", ""),
    ],
)
def test_each_defect_is_named(path: Path, service: dict[str, Any], reason_code: str, said: str) -> None:
    document = verdict_on(Explaining(path, **service))
    assert (document["status"], document["reason_code"]) == ("fail", reason_code), document["reason"]
    assert not said or said in [item["reason"] for item in document["assertions"]]


def test_a_rewrite_after_the_end_is_seen_by_the_last_reading() -> None:
    verdict = Verdict("tenant_isolation")
    sightings = [StoredRecord("t", "t", "alpha", "queued"), StoredRecord("t", "t", "alpha", "complete")]
    records.judge_own(verdict, "alpha", sightings)
    assert not verdict.failed
    records.judge_own(verdict, "alpha", [*sightings, StoredRecord("t", "t", "beta", "complete")])
    assert verdict.failed


def test_records_that_come_and_go_do_not_count_as_changed(path: Path) -> None:
    service = Explaining(path)
    del service.content["old-2"]
    service.others = {"new-1": record("beta")}
    document = verdict_on(service)
    assert document["status"] == "pass", document["reason"]
    assert document["examined"]["records read twice"] == 1


def test_a_store_that_is_born_with_the_first_trace_passes(tmp_path: Path) -> None:
    document = verdict_on(Explaining(tmp_path / "status.json"))
    assert document["status"] == "pass", document["reason"]
    assert document["examined"] == {"stored records": 1}


def test_a_trace_that_is_not_in_the_store_is_inconclusive(path: Path) -> None:
    document = verdict_on(Explaining(path, stores=False), within=0.2)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "own-trace-not-stored")


def test_a_trace_that_does_not_end_is_inconclusive(path: Path) -> None:
    document = verdict_on(Explaining(path, ending=record(state="running")), within=0.3)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "deadline-exceeded")


def test_without_a_gateway_the_store_is_still_judged(path: Path) -> None:
    replace(path, {**OLD, "bad": record("")})
    with serving(TenantService()) as service:
        url = service.url
    document = verdict_of(examination(url, path))
    assert (document["status"], document["reason_code"]) == ("fail", "status-store-tenant-missing")
    assert [item["reason_code"] for item in document["errors"]] == ["service-unreachable"]


def test_without_gateway_and_store_both_are_named(tmp_path: Path) -> None:
    with serving(TenantService()) as service:
        url = service.url
    document = verdict_of(examination(url, tmp_path / "status.json"))
    assert document["status"] == "error"
    assert {item["reason_code"] for item in document["errors"]} == {"service-unreachable", "status-store-missing"}


@pytest.mark.parametrize(("options", "skip_class"), [({"check_mode": True}, "disabled_by_config"), ({"who": ()}, "dependency_missing")])
def test_without_a_trace_of_its_own_it_still_reads(path: Path, options: dict[str, Any], skip_class: str) -> None:
    service = Explaining(path)
    document = verdict_on(service, **options)
    assert document["status"] == "pass"
    assert [item["skip_class"] for item in document["skips"]] == [skip_class]
    assert document["skips"][0]["reason"] in document["reason"]
    assert document["examined"] == {"stored records": 2, "records read twice": 2}
    assert service.traces == {}


def test_without_authority_there_are_no_tenants_to_examine(path: Path) -> None:
    document = verdict_on(Explaining(path), auth_mode="none")
    assert (document["status"], document["reason_code"]) == ("skip", "disabled_by_config")


def test_an_empty_store_is_no_pass(path: Path) -> None:
    path.write_text("{}")
    document = read_only(path)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "nothing-examined")


def test_offenders_are_counted_and_exemplified(path: Path) -> None:
    replace(path, {f"t{number}": record("") for number in range(1000)})
    document = read_only(path)
    observed = next(item["observed"] for item in document["assertions"] if not item["ok"])
    assert observed == {"records": 1000, "examples": ["t0", "t1", "t2", "t3", "t4"]}


@pytest.mark.parametrize(
    ("stored", "offence"),
    [
        ([("a", "a"), ("a", "a")], "a occurs again"),
        ([(None, "a"), (None, "a")], "a occurs again"),
        ([(None, "a"), (None, "")], "record 2 has no trace_id"),
        ([("a", "b")], "a holds trace_id b"),
        ([("a", ""), ("b", "b")], ""),
    ],
)
def test_ids_must_be_of_one_record(stored: list[tuple[str | None, str]], offence: str) -> None:
    seen = survey(StoredRecord(key, trace_id, "alpha", "queued") for key, trace_id in stored)
    assert seen.ambiguous.examples == ([offence] if offence else [])


@pytest.mark.parametrize("tenant", ["", "  ", None, 7, ["alpha"]])
def test_a_tenant_must_be_a_text(tenant: Any) -> None:
    assert survey([StoredRecord.read("a", {"tenant_id": tenant, "state": "queued"})]).without_tenant.count == 1

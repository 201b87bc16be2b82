# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layouts in which a JSON file holds records, half-written ones, and large ones in bounded memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.json_file import JsonFile
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.records import StoredRecord, TornRead
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.status_store.judged_store import MIB
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.status_store.storing_explainer import record


def read(content: str | bytes, tmp_path: Path) -> list[StoredRecord]:
    path = tmp_path / "content.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(JsonFile(str(path), 64 * MIB).records())


A, B = {"trace_id": "a", **record()}, {"trace_id": "b", **record("beta")}


@pytest.mark.parametrize(
    "layout",
    [
        {"a": A, "b": B},
        {"a": record(), "b": record("beta")},
        [A, B],
        {"traces": {"a": A, "b": B}},
        {"traces": [A, B]},
        {"schema": 1, "traces": {"a": A, "b": B}, "updated_at": "now"},
        {"about": {"writer": "explainer"}, "traces": [A, B]},
    ],
    ids=["mapping", "bare", "list", "traces-mapping", "traces-list", "schema-first", "object-first"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_layouts(layout: Any, indent: int | None, tmp_path: Path) -> None:
    found = read(json.dumps(layout, indent=indent) + "\n", tmp_path)
    assert [(item.id, item.tenant_id, item.state) for item in found] == [("a", "alpha", "complete"), ("b", "beta", "complete")]


@pytest.mark.parametrize("empty", ["{}", "[]", " [ ] ", '{"traces": {}}', '{"traces": []}'])
def test_empty_layouts(empty: str, tmp_path: Path) -> None:
    assert read(empty, tmp_path) == []


@pytest.mark.parametrize("layout", [{"a": A, "b": B}, {"schema": 1, "traces": [A, B]}])
def test_every_half_written_file_is_torn(layout: Any, tmp_path: Path) -> None:
    whole = json.dumps(layout)
    assert len(read(whole, tmp_path)) == 2
    for length in range(len(whole)):
        with pytest.raises(TornRead, match="near character"):
            read(whole[:length], tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbf{}", "found \ufeff"),
        (b'{"a": {"state": "\xff"}}', "utf-8"),
        ("42", "expected {"),
        ('{"a": {"state": "queued"}} {}', "something follows"),
        ('{"a": {"state": "queued", "tenant_id": "x", "tenant_id": "y"}}', "'tenant_id' occurs twice"),
        ('{"a": {"state": "queued", "score": NaN}}', "NaN is not JSON"),
        ('{"a": {"state": "queued"}, "b": 3}', "record b is a int"),
        ("[3]", "a record is a int"),
        ('{"a": {"state": ' + "[" * 100_000, "nested too deeply"),
        ('{"schema": 1}', "neither records nor"),
        ('{"schema": 1, "traces": [], "traces": []}', "occurs twice"),
        ("{3: 4}", "expected a key"),
        ('{"a" 4}', "expected :"),
        ('{"a": {"state": "queued"} "b": {}}', "expected , or }"),
        ('{"a": {"state": "queued", "error": "' + "x" * 6 * MIB + '"}}', "longer than"),
        ('{"a": {"state": "queued"}, "b": ' + "9" * 5000 + "}", ""),
    ],
)
def test_what_is_no_store_is_torn_for_a_stated_reason(content: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(TornRead) as fault:
        read(content, tmp_path)
    assert fault.value.reason_code == "status-store-unreadable"
    assert said in fault.value.reason


def test_records_longer_than_a_read_are_whole(tmp_path: Path) -> None:
    many = {f"t{number}": record(error="é" * 700_000) for number in range(12)}
    found = read(json.dumps(many, ensure_ascii=False), tmp_path)
    assert [item.id for item in found] == list(many)


def test_200_mib_are_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    filler = json.dumps("x" * 10_000)
    with path.open("w") as file:
        file.write("{")
        for number in range(21_000):
            comma = "," if number else ""
            file.write(f'{comma}"t{number:06}": {{"tenant_id": "tenant-{number % 50}", "state": "complete", "error": {filler}}}')
        file.write("}")
    assert path.stat().st_size > 200 * MIB
    program = (
        "import resource, sys\n"
        "from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.json_file import JsonFile\n"
        "from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.records import survey\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (96 << 20, 96 << 20))\n"
        "seen = survey(JsonFile(sys.argv[1], 256 << 20).records())\n"
        "print(seen.records, len(seen.tenants), seen.without_tenant.count)\n"
    )
    import ansible_collections

    roots = os.pathsep.join(str(Path(root).parent) for root in ansible_collections.__path__)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], env={**os.environ, "PYTHONPATH": roots}, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["21000", "21000", "0"], done.stderr

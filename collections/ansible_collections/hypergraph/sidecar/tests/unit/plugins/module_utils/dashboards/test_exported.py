# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What series there are, by exposition."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.exported import Exported, is_external, saved_scrape
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.dashboards.observed import EXPOSITION, exported


def test_series_by_type_with_their_labels() -> None:
    known = exported().series
    assert {name: series.behaves for name, series in known.items()} == {
        "http_requests_total": "counter",
        "queue_lag_seconds": "gauge",
        "full_ratio": "gauge",
        "stage_seconds_bucket": "counter",
        "stage_seconds_count": "counter",
        "stage_seconds_sum": "counter",
        "gc_seconds": "gauge",
        "gc_seconds_count": "counter",
        "gc_seconds_sum": "counter",
        "unused_total": "counter",
        "something": "unknown",
    }
    assert known["stage_seconds_bucket"].labels == {"stage", "le"}
    assert known["stage_seconds_bucket"].bounds == {"0.5", "2", "+Inf"}
    assert known["stage_seconds_sum"].labels == {"stage"}
    assert (known["gc_seconds"].labels, known["gc_seconds_sum"].labels) == ({"quantile"}, frozenset())
    assert (known["something"].labels, known["unused_total"].labels) == (frozenset(), None)


def test_what_two_endpoints_export_counts_together(tmp_path: Path) -> None:
    found = Exported()
    for number, text in enumerate((b"# TYPE a gauge\n", b'# TYPE a gauge\na{x="1"} 1\n', b'# TYPE a gauge\na{y="1"} 1\n')):
        (tmp_path / f"{number}.prom").write_bytes(text)
        found.add(saved_scrape(str(tmp_path / f"{number}.prom"), 1000))
    assert found.series["a"].labels == {"x", "y"}


def test_saved_scrapes_of_both_formats(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    path.write_bytes(EXPOSITION)
    assert "http_requests_total" in {family.name for family in saved_scrape(str(path), 10_000)}
    path.write_bytes(b'# TYPE a counter\na_total 1\n# TYPE b info\nb_info{x="1"} 1\n# EOF\n')
    found = Exported()
    found.add(saved_scrape(str(path), 10_000))
    assert {name: series.behaves for name, series in found.series.items()} == {"a_total": "counter", "b_info": "gauge"}


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (None, "scrape-unreadable", "No such file"),
        (b"x" * 11, "scrape-unreadable", "larger than max_bytes"),
        (b"<html>\n", "scrape-invalid", "line 1"),
        (b"", "scrape-invalid", "no metric"),
        (b"a 1", "scrape-invalid", "cut off"),
    ],
)
def test_what_is_no_saved_scrape(tmp_path: Path, body: bytes | None, code: str, said: str) -> None:
    path = tmp_path / "a.prom"
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(CheckError, match=said) as raised:
        saved_scrape(str(path), 10)
    assert raised.value.reason_code == code
    assert str(path) in raised.value.reason


def test_external_patterns() -> None:
    assert is_external("kube_pod_info", ["up", "kube_*"])
    assert not is_external("upper", ["up", "kube_*"])

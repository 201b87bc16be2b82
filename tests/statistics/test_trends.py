"""A small part of tests/statistics/trends.py: seeded, so that it is the same every time."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import trend
from tests.statistics.trends import KINDS, Kind, alarms, passes_at_limit

SERIES = 200


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.correlation], ids=lambda kind: kind.name)
def test_what_drifts_by_itself_seldom_alarms_or_passes_wrongly(kind: Kind) -> None:
    # 16 of 200 or more have a chance of 5 % where the true share is 5 %.
    assert alarms(kind, SERIES) < 16 / SERIES
    assert passes_at_limit(kind, SERIES, 2.0) < 16 / SERIES


@pytest.mark.parametrize(("kind", "rise"), [(Kind(8, 1, 0.0), 20.0), (Kind(24, 1, 0.0), 4.0), (Kind(24, 20, 0.9), 8.0)], ids=str)
def test_what_rises_clearly_is_seen(kind: Kind, rise: float) -> None:
    assert alarms(kind, SERIES, rise) > 0.5


def test_a_judge_who_takes_neighbours_for_independent_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the effective sample, series that drift alarm by chance."""
    monkeypatch.setattr(trend, "_MOST_CORRELATED", 0.0)
    assert alarms(Kind(24, 1, 0.5), SERIES) > 0.08

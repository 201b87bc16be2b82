# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When experiments were before, during and after their fault, by the moments in their trials."""

from __future__ import annotations

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.windows import windows


def trial(at: float, *, experiment: str = "drop-s3", recovered: float | None = 1.0, **changes):
    """Its fault is in force from ``at`` + 20 on the first host and a second later on the other, and is gone at ``at`` + 30."""
    return {
        "experiment": experiment,
        "before": {"began_at": 0.0, "duration": 10.0},
        "injected": [{"settled_at": at + 21.0}, {"settled_at": at + 20.0}],
        "after": {"began_at": at + 30.0, "duration": 12.0, "recovered": recovered},
        **changes,
    }


def test_a_fault_is_in_force_from_the_first_host_to_the_recovery_of_the_service():
    assert windows([trial(0), trial(30)], 2.0) == [
        ("drop-s3: before", 0.0, 8.0),
        ("drop-s3: during", 20.0, 31.0),
        ("drop-s3: after", 31.0, 40.0),
        ("drop-s3: during", 50.0, 61.0),
        ("drop-s3: after", 61.0, 70.0),
    ]


def test_without_recovery_there_is_no_after():
    assert [window.phase for window in windows([trial(0, recovered=None)], 2.0)] == ["drop-s3: before", "drop-s3: during"]
    assert windows([trial(0, recovered=None)], 2.0)[-1].ends_at == 42.0


def test_a_trial_that_was_not_made_has_no_window():
    broken = [
        trial(0, injected=[{"reason_code": "disk-full"}]),
        trial(0, injected=[]),
        trial(0, after={"failed": True}),
        {"experiment": "drop-s3", "before": {"reason_code": "bad-url"}},
    ]
    assert windows(broken, 2.0) == []


def test_a_watch_shorter_than_the_guard_is_no_window():
    found = windows([trial(0, before={"began_at": 0.0, "duration": 1.5})], 2.0)
    assert [window.phase for window in found] == ["drop-s3: during", "drop-s3: after"]

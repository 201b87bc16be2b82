# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults as data: what is taken, and that anything else is refused by name."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.faults import FAULTS, flag_of
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError


@pytest.mark.parametrize(
    ("fault", "given", "flag"),
    [
        ("slow-sae", {"percent": 50, "severity": None}, {"percent": 50, "jitter_ms": 1000.0}),
        ("slow-sae", {"percent": 0, "jitter_ms": 600000}, {"percent": 0, "jitter_ms": 600000}),
        ("drop-s3", {"percent": 100.0}, {"percent": 100.0}),
        ("fail-attribution", {"percent": 1}, {"percent": 1, "mode": "fail"}),
        ("fail-attribution", {"percent": 1, "mode": "fallback"}, {"percent": 1, "mode": "fallback"}),
        ("rate-limit-spike", {}, {"severity": "soft"}),
    ],
)
def test_flag(fault, given, flag):
    assert flag_of(fault, given) == flag


@pytest.mark.parametrize(
    ("fault", "given", "told"),
    [
        ("slow-sea", {}, "expected one of slow-sae, drop-s3"),
        ("drop-s3", {}, "percent is missing, expected a number from 0 to 100"),
        ("drop-s3", {"percent": 100.1}, "percent is 100.1"),
        ("drop-s3", {"percent": -1}, "percent is -1"),
        ("drop-s3", {"percent": float("nan")}, "percent is nan"),
        ("drop-s3", {"percent": True}, "percent is True"),
        ("drop-s3", {"percent": "50"}, "percent is '50'"),
        ("slow-sae", {"percent": 1, "jitter_ms": 600001}, "jitter_ms is 600001"),
        ("rate-limit-spike", {"severity": "medium"}, "severity is 'medium', expected soft or hard"),
        ("rate-limit-spike", {"percent": 5}, "rate-limit-spike has no parameter percent, expected severity"),
    ],
)
def test_what_is_out_of_range_is_refused(fault, given, told):
    with pytest.raises(CheckError) as refused:
        flag_of(fault, given)
    assert refused.value.reason_code == "bad-fault"
    assert told in refused.value.reason
    assert refused.value.action


def test_there_are_the_four_of_the_contract():
    assert list(FAULTS) == ["slow-sae", "drop-s3", "fail-attribution", "rate-limit-spike"]

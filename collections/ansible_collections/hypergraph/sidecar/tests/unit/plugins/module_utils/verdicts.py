# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts for tests: one of each status, and arbitrary ones."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict

CHECKS = ("preflight", "gateway_rbac", "tenant_isolation", "observability", "our_queue")
ASSERTIONS = ("the states only move forward", "buckets straddle the SLO", "no [odd] name * is a pattern?")


# A busy machine is no reason for a law to be broken.
law = settings(deadline=None)


def verdict_of(check: str, status: str, *, host: str = "", name: str = ASSERTIONS[0], reason_code: str = "broken") -> dict[str, Any]:
    """A verdict-1 document whose records call for the status, which is not ``waived``."""
    verdict = Verdict(check, host=host)
    if status in ("pass", "fail"):
        verdict.examine("objects", 3)
        verdict.expect(name, status == "pass", reason_code=reason_code, expected=1, observed=2, action=f"Mend {check}.")
    elif status == "error":
        verdict.error("service-unreachable", "nothing accepts connections there", "Start the service.")
    elif status == "inconclusive":
        verdict.need("requests", 59, 20, action="Send more.")
    else:
        verdict.skip("dependency_missing", "no tokens", "Give tokens.")
    document = verdict.to_dict()
    assert document["status"] == status
    return document


@st.composite
def verdicts(draw: st.DrawFn, checks: tuple[str, ...] = CHECKS) -> dict[str, Any]:
    """A document with any mixture of records."""
    verdict = Verdict(draw(st.sampled_from(checks)), host=draw(st.sampled_from(("", "a", "b"))))
    names = st.sampled_from(ASSERTIONS)
    codes = st.sampled_from(("broken", "revert-failed"))
    for name, ok, code in draw(st.lists(st.tuples(names, st.booleans(), codes), max_size=3)):
        verdict.expect(name, ok, reason_code=code)
    for ok in draw(st.lists(st.booleans(), max_size=2)):
        verdict.control("seen", ok, reason_code="control-not-seen")
    for recorder in draw(st.lists(st.sampled_from((_error, _short, _skip)), max_size=2)):
        recorder(verdict)
    for count in draw(st.lists(st.integers(0, 5), max_size=2)):
        verdict.examine("objects", count)
    return verdict.to_dict()


def _error(verdict: Verdict) -> None:
    verdict.error("check-crashed", "it broke")


def _short(verdict: Verdict) -> None:
    verdict.inconclusive("deadline-exceeded", "too late")


def _skip(verdict: Verdict) -> None:
    verdict.skip("not_applicable", "not here", "Nothing.")

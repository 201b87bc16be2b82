# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canceling: a trace canceled in time ends canceled and stays so; one that has finished is beyond it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from ..connection import Token
from ..http_client import Client
from ..traces import read_status
from ..verdict import Verdict
from .lifecycle import Trace, follow, look

# How many times as long as a trace like it a canceled one is watched: its text is three times as long, and no two take equally long.
_OUTLAST = 4


@dataclass
class Attempt:
    """A cancel sent right after the chat. ``in_time`` tells whether the trace was certainly unfinished when it arrived."""

    trace: Trace
    answered: int
    in_time: bool

    @property
    def accepted(self) -> bool:
        """Whether the cancel was acknowledged."""
        return 200 <= self.answered < 300

    @property
    def tells(self) -> bool:
        """Whether the attempt says anything about canceling: the trace had not finished first."""
        return self.in_time or self.trace.last.state == "canceled"


def cancel_path(trace_id: str) -> str:
    """Path that cancels a trace."""
    return f"/v1/traces/{trace_id}/cancel"


def attempt_cancel(client: Client, token: Token | None, trace: Trace, max_body: int) -> Attempt:
    """Cancel a trace just submitted and look at once whether it was in time."""
    answered = client.post(cancel_path(trace.id), token).status
    look(client, token, trace, max_body)
    return Attempt(trace, answered, not trace.ended)


def retry_cancel(
    client: Client, token: Token | None, attempt: Attempt, fresh: Callable[[], Trace], max_body: int, attempts: int
) -> tuple[Attempt, int]:
    """Repeat an attempt that came too late with fresh traces. Returns the last one, followed to its end, and how many there were."""
    made = 1
    while True:
        follow(client, token, [attempt.trace], max_body)
        if attempt.tells or made >= attempts:
            return attempt, made
        attempt = attempt_cancel(client, token, fresh(), max_body)
        made += 1


def judge_cancel(verdict: Verdict, attempt: Attempt, made: int) -> bool:
    """Whether the cancel took effect; a service that always finished first was not examined."""
    trace = attempt.trace
    if not attempt.tells:
        verdict.inconclusive(
            "cancel-not-tested",
            f"each of {made} traces had finished before its cancel arrived",
            "Raise cancel_attempts, or run the check where an explanation takes longer than a round trip.",
        )
        return False
    verdict.examine("cancels", 1)
    accepted = verdict.expect(
        "cancel: canceling an unfinished trace is accepted",
        attempt.accepted,
        expected="a 2xx status",
        observed=attempt.answered,
        reason_code="cancel-refused",
        action="Accept cancels of queued and running traces from callers with traces:write.",
    )
    if not accepted:
        return False
    if not trace.ended:
        verdict.inconclusive(
            "deadline-exceeded",
            f"cancel: the canceled trace was still {trace.last.state!r} when its time was up",
            "Check that the explainer heeds cancels, or raise trace_deadline.",
        )
        return False
    return verdict.expect(
        "cancel: the trace ends canceled",
        trace.last.state == "canceled",
        expected="canceled",
        observed=trace.last.state,
        reason_code="cancel-ignored",
        action="Let the explainer look at the state before each stage, and never overwrite canceled.",
    )


def work_seconds(canceled: Trace, completed: Iterable[Trace], trace_deadline: float) -> float | None:
    """Seconds after which a canceled trace would have ended had it gone on, told from those of its granularity that did complete.

    Never more than ``trace_deadline``, which every trace is held to; None where no trace like it completed.
    """
    alike = [trace.watched for trace in completed if trace.granularity == canceled.granularity]
    return min(_OUTLAST * max(alike), trace_deadline) if alike else None


def judge_finality(verdict: Verdict, client: Client, token: Token | None, canceled: Trace, work: float | None) -> None:
    """A canceled trace is as it was when its ``work`` would have been done, in seconds from its first reading.

    An explainer that does not heed the cancel overwrites it at the end of its work, not before. Where ``work`` is None, only a trace that
    has come back already is told from one that stays.
    """
    if work is not None:
        passed = (datetime.now(timezone.utc) - canceled.readings[0].taken).total_seconds()
        time.sleep(max(0.0, work - passed))
    answer, status = read_status(client, token, canceled.id)
    same = answer.body == canceled.last.body
    if same and work is None:
        verdict.inconclusive(
            "cancel-finality-not-tested",
            f"cancel: whether the canceled trace stays so cannot be told, since no {canceled.granularity} trace completed "
            "to show how long its work would have taken",
            "Make explanations complete first.",
        )
        return
    verdict.expect(
        "cancel: a canceled trace stays as it is",
        same,
        expected=canceled.last.status,
        observed=status,
        reason_code="cancel-not-final",
        action="Let no later stage write to a canceled trace: complete only what is still running (compare and set on the state).",
    )


def judge_late_cancel(verdict: Verdict, client: Client, token: Token | None, finished: Trace) -> None:
    """Canceling a complete trace is answered and changes nothing."""
    before, _status = read_status(client, token, finished.id)
    answered = client.post(cancel_path(finished.id), token).status
    after, status = read_status(client, token, finished.id)
    verdict.expect(
        "cancel: canceling a complete trace changes nothing",
        before.body == after.body and answered < 500,
        expected="the status as before, and no server error",
        observed={"answered": answered, "status": status},
        reason_code="cancel-changed-finished",
        action="Refuse, with 409, to cancel a trace in a terminal state.",
    )

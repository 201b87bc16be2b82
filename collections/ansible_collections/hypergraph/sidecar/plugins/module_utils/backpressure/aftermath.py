# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left after the load: whether every accepted explanation ended, and whether graphs made under pressure are whole."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from .. import strict_json
from ..connection import Token
from ..faults import CheckFault
from ..hif.adapter import to_public
from ..hif.rules import Hypergraph, findings
from ..hif.schema import hif_violations, profile_violations
from ..http_client import Client
from ..traces import TERMINAL_STATES, graph_path, status_path
from .driving import Driven
from .observation import Graphs, Traces

_PAUSE_S = 0.2
_STATES = {None: "complete", "trace_failed": "failed", "trace_expired": "expired"}
_LOST = "trace_lost"
_UNKNOWN = "its status is unknown to the service"


def follow(client: Client, token: Token | None, runs: Sequence[Driven], further: Iterable[str], within: float) -> Traces:
    """How every accepted explanation ended. Those that were still under way when their run ended are asked for, within so many seconds."""
    ends: Counter[str] = Counter()
    open_: dict[str, str] = {}
    pending = list(further)
    unnamed = 0
    for position, driven in enumerate(runs):
        cut_short = position < len(runs) - 1
        for one in driven.explained:
            if one.trace_id is None:
                unnamed += 1
            elif one.error in _STATES:
                ends[_STATES[one.error]] += 1
            elif one.error == _LOST:
                open_[one.trace_id] = _UNKNOWN
            elif cut_short:
                # And with the search the time its explanations had.
                pending.append(one.trace_id)
            else:
                open_[one.trace_id] = f"not ended after {within:g} s"
    states, late = _ends(client, token, pending, within)
    ends.update(states)
    open_.update(late)
    return Traces(sum(ends.values()) + len(open_), dict(ends), open_, unnamed)


def _ends(client: Client, token: Token | None, pending: list[str], within: float) -> tuple[Counter[str], dict[str, str]]:
    """How many ended in which state, and what was last told of those that did not within so many seconds."""
    ends: Counter[str] = Counter()
    give_up = time.monotonic() + within
    while True:
        told = {trace_id: _state(client, token, trace_id) for trace_id in pending}
        ends.update(state for state in told.values() if state in TERMINAL_STATES)
        told = {trace_id: state for trace_id, state in told.items() if state not in TERMINAL_STATES}
        if not told or time.monotonic() > give_up:
            return ends, told
        pending = list(told)
        time.sleep(_PAUSE_S)


def _state(client: Client, token: Token | None, trace_id: str) -> str:
    try:
        answer = client.get(status_path(trace_id), token)
        told = answer.json() if answer.status == 200 else None
    except CheckFault as fault:
        return f"its status is unreadable ({fault.reason})"
    if answer.status == 404:
        return _UNKNOWN
    return str(told.get("state")) if isinstance(told, dict) else f"its status answers {answer.status}"


def sample(client: Client, token: Token | None, driven: Driven, size: int) -> Graphs:
    """Read so many graphs, spread evenly over the explanations that completed under pressure."""
    complete = [one.trace_id for one in driven.explained if one.trace_id and not one.error]
    chosen = [complete[place * len(complete) // size] for place in range(size)] if len(complete) > size else complete
    problems = {}
    for trace_id in chosen:
        try:
            answer = client.get(graph_path(trace_id), token)
            problem = problem_of(answer.body, trace_id) if answer.status == 200 else f"complete, and its graph answers {answer.status}"
        except CheckFault as fault:
            problem = fault.reason
        if problem:
            problems[trace_id] = problem
    return Graphs(len(chosen), problems)


def problem_of(body: bytes, trace_id: str) -> str:
    """What is wrong first with a graph; empty where it is a valid hypergraph about the trace."""
    try:
        document = strict_json.loads(body)
        public = to_public(document if isinstance(document, dict) else {})
    except (UnicodeDecodeError, ValueError) as problem:
        return str(problem)
    violations = [
        *hif_violations(public if isinstance(document, dict) else document),
        *profile_violations(document),
        *(f"{finding.rule.name}: {finding}" for finding in findings(Hypergraph.read(document)) if not finding.ok),
    ]
    if violations:
        return violations[0]
    told = document["meta"].get("trace_id")
    return "" if told == trace_id else f"meta.trace_id is {told!r}"

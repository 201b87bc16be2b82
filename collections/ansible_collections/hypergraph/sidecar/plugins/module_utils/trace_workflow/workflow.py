# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""trace_workflow: a chat becomes a trace, moves only forward, and ends in a valid hypergraph; end to end, for each granularity.

All traces are submitted first and then polled in turn, so that the check takes about as long as the slowest of them.
"""

from __future__ import annotations

import statistics
import time
from functools import partial

from ..connection import Token
from ..examination import Examination
from ..faults import CheckError
from ..hif import schema
from ..hif.rules import Hypergraph
from ..traces import UnnamedTrace, graph_path, read_status, sibling, status_path, submit
from .cancellation import Attempt, attempt_cancel, judge_cancel, judge_finality, judge_late_cancel, retry_cancel, work_seconds
from .graphs import Subject, judge_granularities, judge_graph
from .lifecycle import Trace, follow, judge_completion, judge_life, look
from .webhooks import Webhook, judge_webhook, registered

# Sentences that share words, so that an explanation of either granularity has something to join.
PROMPT = (
    "A hypergraph joins any number of nodes by one edge. An ordinary graph joins two nodes by one edge. "
    "Explain why an edge of many nodes says more than many edges of two nodes. Name one use of a hypergraph in one sentence."
)
_OWN_TRACE = "every attached chat gets a trace of its own"


def examine(run: Examination) -> None:
    """Walk the workflow and judge each part. Raises CheckError for an argument that makes no sense."""
    granularities = list(dict.fromkeys(run.params["granularities"]))
    if not granularities:
        raise CheckError("bad-granularities", "granularities is empty, expected sentence, token or both", "Name a granularity to examine.")
    for name in ("trace_deadline", "webhook_deadline", "cancel_attempts", "graph_max_bytes"):
        if not run.params[name] > 0:
            raise CheckError("bad-argument", f"{name} is {run.params[name]}, expected more than 0", f"Set {name} to a positive number.")
    if not run.params["clock_skew"] >= 0:
        raise CheckError("bad-argument", f"clock_skew is {run.params['clock_skew']}, expected 0 or more", "Set clock_skew to seconds.")
    enforced = run.connection.auth_mode != "none"
    if enforced and not run.has_tokens("traces:write", "traces:read"):
        return
    if not run.may_submit():
        return
    schema.require()
    token = run.connection.token_with("traces:write", "traces:read")
    tenant_id = token.tenant_id if token and enforced else None
    with registered(run, token) as webhook:
        try:
            Workflow(run, token, tenant_id, webhook).walk(granularities)
        except UnnamedTrace as fault:
            run.verdict.expect(
                _OWN_TRACE,
                False,
                expected="an x-trace-id that can stand in a path",
                observed=fault.reason,
                reason_code=fault.reason_code,
                action=fault.action,
            )


class Workflow:
    """One walk through the workflow on behalf of one token."""

    def __init__(self, run: Examination, token: Token | None, tenant_id: str | None, webhook: Webhook | None) -> None:
        self._run = run
        self._verdict = run.verdict
        self._client = run.client
        self._token = token
        self._tenant_id = tenant_id
        self._webhook = webhook
        self._deadline = float(run.params["trace_deadline"])
        self._max_body = int(run.params["graph_max_bytes"])
        self._skew = float(run.params["clock_skew"])
        self._chat_seconds: list[float] = []

    def walk(self, granularities: list[str]) -> None:
        """Submit everything, wait for all of it, then judge part by part; last whether the cancel lasts, which only time shows."""
        # The finer granularity of a longer text takes longest, which leaves the cancel the most time.
        to_cancel = partial(self._submit, "cancel", "token" if "token" in granularities else granularities[0], " ".join([PROMPT] * 3))
        traces = []
        for granularity in granularities:
            traces.append(self._submit(granularity, granularity))
            if self._webhook and len(traces) == 1:
                self._webhook.listener.refuse_first(traces[0].id)
            look(self._client, self._token, traces[-1], self._max_body)
        attempt = attempt_cancel(self._client, self._token, to_cancel(), self._max_body)
        follow(self._client, self._token, [*traces, attempt.trace], self._max_body)
        attempts = int(self._run.params["cancel_attempts"])
        attempt, made = retry_cancel(self._client, self._token, attempt, to_cancel, self._max_body, attempts)
        self._verdict.examine("traces", len(traces) + made)
        self._judge_submissions([*traces, attempt.trace])
        complete = self._judge_traces(traces)
        canceled = self._judge_canceling(attempt, made, complete)
        self._judge_early_graphs([*traces, attempt.trace])
        self._judge_unknown(traces[0].id)
        if self._webhook and traces[0] in complete:
            judge_webhook(self._verdict, self._webhook, traces[0], self._tenant_id, float(self._run.params["webhook_deadline"]), self._skew)
        if canceled:
            work = work_seconds(attempt.trace, complete, self._deadline)
            judge_finality(self._verdict, self._client, self._token, attempt.trace, work)
        self._verdict.measure("chat_seconds", round(statistics.median(self._chat_seconds), 4))

    def _submit(self, label: str, granularity: str, prompt: str = PROMPT) -> Trace:
        features = self._run.params["features"]
        sent_at = time.monotonic()
        submission = submit(
            self._client,
            self._token,
            prompt,
            model=str(self._run.params["model"]),
            granularity=granularity,
            headers={"x-explain-features": features} if features else None,
        )
        self._chat_seconds.append(submission.answer.elapsed)
        return Trace(label, granularity, submission, sent_at, sent_at + self._deadline)

    def _judge_submissions(self, traces: list[Trace]) -> None:
        ids = [trace.id for trace in traces]
        self._verdict.expect(
            _OWN_TRACE,
            len(set(ids)) == len(ids),
            expected=f"{len(ids)} trace ids",
            observed=ids,
            reason_code="trace-id-reused",
            action="Make a new trace id for each chat.",
        )
        unanswered = [trace.label for trace in traces if not _is_chat(trace.submission.answer.json())]
        self._verdict.expect(
            "an attached chat is still answered as a chat",
            not unanswered,
            expected="choices with a message",
            observed=unanswered or "a message each",
            reason_code="chat-answer-invalid",
            action="Let the interceptor pass the model's answer on unchanged.",
        )

    def _judge_traces(self, traces: list[Trace]) -> list[Trace]:
        """Judge life and graph of each; return those that completed."""
        complete = []
        graphs: dict[str, tuple[Subject, Hypergraph]] = {}
        for trace in traces:
            judge_life(self._verdict, trace, self._tenant_id, self._skew)
            if judge_completion(self._verdict, trace):
                complete.append(trace)
                if trace.seconds is not None:
                    self._verdict.measure(f"trace_complete_{trace.label}_seconds", round(trace.seconds, 4))
                subject = self._subject(trace)
                graph = self._judge_reads(trace, subject)
                if graph:
                    graphs[trace.granularity] = (subject, graph)
        judge_granularities(self._verdict, graphs)
        return complete

    def _subject(self, trace: Trace) -> Subject:
        status = trace.last.status
        answered = trace.submission.answer.json()
        names = (self._run.params["model"], answered.get("model") if isinstance(answered, dict) else None, status.get("model"))
        models = frozenset(name for name in names if isinstance(name, str))
        return Subject(trace.label, trace.id, self._tenant_id, models, trace.granularity, status.get("granularity"), status.get("degraded"))

    def _judge_reads(self, trace: Trace, subject: Subject) -> Hypergraph | None:
        """Read status and graph of a complete trace twice, and judge what came."""
        graphs = [self._client.get(graph_path(trace.id), self._token, max_body=self._max_body) for _again in range(2)]
        again, _status = read_status(self._client, self._token, trace.id)
        served = self._verdict.expect(
            f"{trace.label}: the graph of a complete trace is served",
            graphs[0].status == 200,
            expected=200,
            observed=graphs[0].status,
            reason_code="graph-not-served",
            action="Persist the graph before the trace is called complete.",
        )
        graph = judge_graph(self._verdict, subject, graphs[0]) if served else None
        differing = [
            name
            for name, one, other in (
                (status_path(trace.id), trace.last.body, again.body),
                (graph_path(trace.id), graphs[0].body, graphs[1].body),
            )
            if one != other
        ]
        self._verdict.expect(
            f"{trace.label}: reading a complete trace twice gives the same bytes",
            not differing,
            expected="equal answers",
            observed=differing or "equal",
            reason_code="read-not-idempotent",
            action="Serve what was stored when the trace ended, and let reads write nothing.",
        )
        return graph

    def _judge_canceling(self, attempt: Attempt, made: int, complete: list[Trace]) -> bool:
        """Whether the trace to cancel was canceled."""
        judge_life(self._verdict, attempt.trace, self._tenant_id, self._skew)
        canceled = judge_cancel(self._verdict, attempt, made)
        if complete:
            judge_late_cancel(self._verdict, self._client, self._token, complete[-1])
        return canceled

    def _judge_early_graphs(self, traces: list[Trace]) -> None:
        early = {trace.label: trace.early_graph for trace in traces if trace.early_graph is not None}
        if not early:
            self._verdict.skip(
                "not_applicable",
                "the graph of an unfinished trace, since every trace had finished before it could be asked for",
                "Nothing is wrong; a slower explanation would show it.",
            )
            return
        self._verdict.expect(
            "the graph of an unfinished trace is not served yet",
            all(status == 409 for status in early.values()),
            expected=409,
            observed=early,
            reason_code="graph-before-complete",
            action="Answer 409 until the trace is complete.",
        )

    def _judge_unknown(self, known: str) -> None:
        unknown = sibling(known)
        answers = {
            "status": self._client.get(status_path(unknown), self._token).status,
            "graph": self._client.get(graph_path(unknown), self._token).status,
        }
        self._verdict.examine("unknown ids", 1)
        self._verdict.expect(
            "an unknown trace is not found",
            all(status == 404 for status in answers.values()),
            expected=404,
            observed=answers,
            reason_code="unknown-trace-status",
            action="Answer 404 to ids that no trace has.",
        )


def _is_chat(document: object) -> bool:
    """Whether a document is an OpenAI chat completion with a message in it."""
    choices = document.get("choices") if isinstance(document, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    return isinstance(message, dict) and isinstance(message.get("content"), str)

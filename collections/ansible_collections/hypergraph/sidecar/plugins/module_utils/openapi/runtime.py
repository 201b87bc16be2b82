# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the running service: the document it serves, the answers it gives, the versions it answers to.

Only answers of the kind a call was made to get are held against the documentation. Another kind (a refusal where a caller should be let
through, a 500 for an unknown trace) is the finding of the check that owns that behaviour, and is named here as not examined.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..connection import Token
from ..examination import Examination
from ..faults import CheckError, CheckInconclusive
from ..http_client import Answer
from ..traces import attach_headers, canary, chat_body, sibling, wait_for_end
from . import document
from .conformance import disagreements, documented, is_json
from .difference import differences
from .operations import operations
from .rules import from_version, versions

HIF_VERSION = "hif-1"
_TRACE = "/v1/traces/{trace_id}"
# What a service answers that does not know a path, or lets nobody near it.
_NOT_SERVED = frozenset({400, 401, 403, 404, 405, 410, 501})


@dataclass(frozen=True)
class Call:
    """One live call: what it was made to get, and which check owns that it does."""

    method: str
    template: str
    answer: Answer
    status: int
    owner: str
    caller: str = ""

    @property
    def name(self) -> str:
        """How a reader knows the call."""
        return f"{self.method} {self.template}{self.caller}"

    @property
    def as_meant(self) -> bool:
        """Whether it got the kind of answer it was made for: any success, or the very error."""
        return self.answer.status == self.status or (self.status == 200 and 200 <= self.answer.status < 300)


@dataclass(frozen=True)
class Served:
    """The document the service serves, and the call that got it."""

    document: dict[str, Any]
    call: Call


class Caller:
    """As whom the service is called: without token where none are enforced, else with the most able token there is."""

    def __init__(self, run: Examination) -> None:
        connection = run.connection
        self.anonymous = connection.auth_mode == "none"
        able = connection.token_with("traces:write", "traces:read")
        self.token: Token | None = None if self.anonymous else able or next(iter(connection.tokens), None)
        self.may_trace = self.anonymous or able is not None

    @property
    def can_call(self) -> bool:
        """Whether requests can be made that should be let through."""
        return self.anonymous or self.token is not None


def fetch_served(run: Examination, caller: Caller) -> Served | None:
    """The document the service serves, or None where there is none to examine, which the verdict then explains."""
    path = run.params["served_path"]
    if not path:
        run.verdict.skip("disabled_by_config", "the served document, since served_path is empty", "Set served_path to where it is served.")
        return None
    if not path.startswith("/"):
        # A token must not follow an address of another host.
        raise CheckError("bad-argument", f"served_path {path!r} does not begin with a slash", "Give the path below base_url.")
    for pointer in run.params["served_may_differ"]:
        if not pointer.startswith("/"):
            # The empty one, which is also what an empty text makes of a list, is the whole document: nothing would be compared.
            said = f"served_may_differ has {pointer!r}, expected JSON pointers that begin with a slash"
            raise CheckError("bad-argument", said, "Name the places such as /servers, or give [] where nothing may differ.")
    if not caller.can_call:
        return None
    answer = run.client.get(path, caller.token, headers={"Accept": "application/json, application/yaml;q=0.5"}, max_body=document.MAX_BYTES)
    if answer.status in (401, 403):
        run.verdict.skip(
            "blocked_by:gateway_rbac",
            f"the served document, since GET {path} answered {answer.status}",
            "Let any known token read the document.",
        )
        return None
    found = run.verdict.expect(
        "the service serves its document",
        answer.status not in (404, 410),
        expected=f"200 at {path}",
        observed=answer.status,
        reason_code="served-missing",
        action="Serve the document there, correct served_path, or empty it where the environment serves none.",
    )
    if not found:
        return None
    try:
        if answer.status != 200:
            raise ValueError(f"status {answer.status}, expected 200")
        is_yaml = "yaml" in answer.content_type or path.endswith((".yaml", ".yml"))
        return Served(document.parse(answer.body, is_json=not is_yaml), Call("GET", path, answer, 200, "gateway_rbac"))
    except ValueError as problem:
        reason = f"GET {path} answered {answer.content_type or 'no media type'}: {problem}"
        run.verdict.error("served-unreadable", reason, "Serve the document as JSON or YAML.")
        return None


def judge_served(run: Examination, specification: Mapping[str, Any], served: Mapping[str, Any]) -> None:
    """Judge that what is served is what is documented, but for what may differ."""
    ignored = tuple(run.params["served_may_differ"])
    found = list(differences(specification, served, ("file", "served document"), ignored))
    run.verdict.expect(
        "the served document is the documented one",
        not found,
        expected=f"equal but for {', '.join(ignored) or 'nothing'}",
        observed=found,
        reason_code="served-differs",
        reason=f"the served document differs from the file in {len(found)} place(s): {'; '.join(found[:3])}",
        action="Deploy the service and its specification from one release.",
    )


def judge_live(run: Examination, caller: Caller, specification: Mapping[str, Any] | None, served: Served | None) -> None:
    """Call the service a few times and judge answers and versions. Without a valid specification answers are not judged."""
    calls: list[Call] = [] if caller.anonymous else [_call(run, "GET", "/v1/models", None, 401, "gateway_rbac", who=" without token")]
    if caller.can_call:
        models = _call(run, "GET", "/v1/models", caller.token, 200, "gateway_rbac")
        calls.append(models)
        if served is not None and specification is not None and documented(specification, "GET", served.call.template):
            calls.append(served.call)
        graph_calls = list(_trace_calls(run, caller))
        graph = next((call for call in graph_calls if call.template == f"{_TRACE}/graph" and call.as_meant), None)
        if graph is not None and not _judge_hif_version(run, graph):
            # The documented schema is that of another format version, so what it says about this graph is no finding of its own.
            graph_calls.remove(graph)
        calls.extend(graph_calls)
        if specification is not None and caller.may_trace:
            # Only now, since of an empty list no item is held against its schema.
            lists = (path for path in ("/v1/traces", "/v1/webhooks") if documented(specification, "GET", path))
            calls.extend(_call(run, "GET", path, caller.token, 200, "gateway_rbac") for path in lists)
    if specification is not None and calls:
        _judge_answers(run, caller, specification, calls)
    if caller.can_call:
        _judge_unknown_version(run, caller, models, specification)


def _trace_calls(run: Examination, caller: Caller) -> Iterator[Call]:
    """A chat with an explanation, its trace's status and graph, and the status of a trace that does not exist."""
    if run.check_mode:
        run.verdict.skip("disabled_by_config", "check mode: no chat was sent, so no trace was called for", "Run without --check.")
        return
    if not caller.may_trace:
        run.has_tokens("traces:write", "traces:read")
        return
    client, token = run.client, caller.token
    body = chat_body("A hypergraph joins several nodes by one edge. An edge of two nodes is an ordinary one.", str(run.params["model"]))
    path = "/v1/chat/completions"
    chat = Call("POST", path, client.post(path, token, json=body, headers=attach_headers()), 200, "trace_workflow")
    yield chat
    trace_id = chat.answer.headers.get("x-trace-id", "")
    if trace_id:
        yield from _calls_of_trace(run, token, trace_id)
    elif chat.as_meant:
        run.verdict.skip("blocked_by:trace_workflow", "trace answers, since the chat carried no x-trace-id", "See trace_workflow.")
    unknown = sibling(trace_id) or canary("trace")
    yield _call(run, "GET", f"{_TRACE}/status", token, 404, "trace_workflow", trace_id=unknown, who=" of an unknown trace")


def _calls_of_trace(run: Examination, token: Token | None, trace_id: str) -> Iterator[Call]:
    yield _call(run, "GET", f"{_TRACE}/status", token, 200, "trace_workflow", trace_id=trace_id)
    try:
        ended = str(wait_for_end(run.client, token, trace_id, within=run.params["trace_deadline"])["state"])
    except CheckInconclusive as fault:
        ended = fault.reason
    except CheckError as fault:
        # Of faults only the unreadable status is trace_workflow's; an unreachable service ends this check too.
        if fault.reason_code not in ("status-unreadable", "answer-not-json"):
            raise
        ended = fault.reason
    if ended == "complete":
        yield _call(run, "GET", f"{_TRACE}/graph", token, 200, "trace_workflow", trace_id=trace_id)
    else:
        run.verdict.skip("blocked_by:trace_workflow", f"the graph, since its trace did not complete: {ended}", "See trace_workflow.")


def _judge_unknown_version(run: Examination, caller: Caller, models: Call, specification: Mapping[str, Any] | None) -> None:
    """A version nobody documented must not be answered, be it by a catch-all route or a proxy that drops the version."""
    if not (models.as_meant and is_json(models.answer.content_type)):
        run.verdict.skip(
            "blocked_by:gateway_rbac",
            f"an unknown version, since /v1/models itself answered {models.answer.status} {models.answer.content_type}".rstrip(),
            "Make /v1/models answer first.",
        )
        return
    known = versions(specification) if specification is not None else frozenset()
    path = f"/v{max(known | {1}) + 1}/models"
    answer = run.client.get(path, caller.token)
    target = _redirected_to(answer)
    leads_to_known = target == models.template or (specification is not None and documented(specification, "GET", target) is not None)
    served = 200 <= answer.status < 300 or leads_to_known
    said = f"GET {path} answered {answer.status}{f' redirecting to {target}' if target else ''}"
    if not served and answer.status not in _NOT_SERVED:
        # A rate limit, a broken proxy or a login page answers so for any path, served or not.
        run.verdict.inconclusive(
            "unknown-version-unexplained",
            f"{said}, which does not tell whether such a version is served",
            "Run the check again when the gateway answers; if it always answers so, let it answer 404 for a version it does not know.",
        )
        return
    run.verdict.expect(
        "a version that is not documented is not served",
        not served,
        expected=f"GET {path} refused or not found",
        observed=f"{answer.status} redirecting to {target}" if target else answer.status,
        reason_code="unversioned-alias",
        reason=f"{said}, though no such version is documented",
        action="Route documented versions only; look for a catch-all route, or a proxy that strips the version or redirects.",
    )


def _redirected_to(answer: Answer) -> str:
    """The path that a redirect leads to, from its version on; empty where it is none, or leads to no version."""
    if not 300 <= answer.status < 400:
        return ""
    try:
        target = urlsplit(urljoin(answer.url, answer.headers.get("location", "")))
    except ValueError:
        return ""
    return from_version(target.path.rstrip("/"))


def _judge_hif_version(run: Examination, graph: Call) -> bool:
    try:
        # Not strict_json: whether NaN is served is for trace_workflow to say.
        body = json.loads(graph.answer.body)
    except (ValueError, RecursionError):
        body = None
    meta = body.get("meta") if isinstance(body, dict) else None
    version = meta.get("version") if isinstance(meta, dict) else None
    return run.verdict.expect(
        f"a graph declares {HIF_VERSION}",
        version == HIF_VERSION,
        expected=f"meta.version {HIF_VERSION}",
        observed=version,
        reason_code="runtime-hif-version",
        reason=f"a real trace's graph declares meta.version {version!r}, expected {HIF_VERSION!r}",
        action="Deploy the explainer of this API version, or publish the new format under a new API version.",
    )


def _judge_answers(run: Examination, caller: Caller, specification: Mapping[str, Any], calls: list[Call]) -> None:
    judged = [(call, documented(specification, call.method, call.template)) for call in calls if call.as_meant]
    called = {operation.name for _call, operation in judged if operation is not None}
    run.verdict.record(
        live_calls={call.name: call.answer.status for call in calls},
        operations_not_called=[operation.name for operation in operations(specification) if operation.name not in called],
    )
    for call in calls:
        if not call.as_meant:
            run.verdict.skip(
                f"blocked_by:{call.owner}",
                f"the answer to {call.name}, which was {call.answer.status} where {call.status} was meant",
                f"See {call.owner}.",
            )
    if not judged:
        if caller.can_call:
            run.verdict.inconclusive(
                "no-live-answer",
                f"none of {len(calls)} live calls got the kind of answer it was made to get, so none was held against the documentation",
                "Mend what the other checks find first.",
            )
        return
    found: list[str] = []
    for call, operation in judged:
        told = disagreements(operation, call.answer) if operation is not None else ["the operation is not documented"]
        found.extend(f"{call.name}: {line}" for line in told)
    run.verdict.examine("live answers", len(judged))
    run.verdict.expect(
        "answers are as documented",
        not found,
        expected="a documented status, media type and schema",
        observed=found,
        reason_code="answer-not-documented",
        reason=f"{len(found)} disagreement(s) of answers with their documentation: {'; '.join(found[:3])}",
        action="Correct the service or its documentation, whichever is wrong.",
    )


def _call(
    run: Examination, method: str, template: str, token: Token | None, status: int, owner: str, *, trace_id: str = "", who: str = ""
) -> Call:
    answer = run.client.request(method, template.format(trace_id=trace_id), token)
    return Call(method, template, answer, status, owner, who)

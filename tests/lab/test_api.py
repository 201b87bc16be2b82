"""The public API of a running lab."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from lab.gateway.call import MAX_BODY
from lab.process.state_directory import CHECKOUT
from tests.conftest import Lab
from tests.lab.client import PROMPT, Api, eventually

OPENAPI = CHECKOUT / "lab/api/openapi/hypergraph-api.yaml"
READERS = {"alpha-writer", "alpha-reader", "beta-writer"}
WRITERS = {"alpha-writer", "alpha-submitter", "beta-writer"}
ROUTES: list[tuple[str, str, set[str] | None]] = [
    ("GET", "/v1/models", None),
    ("GET", "/v1/openapi.json", None),
    ("GET", "/v1/traces", READERS),
    ("GET", "/v1/traces/tr_0/status", READERS),
    ("GET", "/v1/traces/tr_0/graph", READERS),
    ("POST", "/v1/traces/tr_0/cancel", WRITERS),
    ("POST", "/v1/webhooks", WRITERS),
    ("GET", "/v1/webhooks", READERS),
    ("DELETE", "/v1/webhooks/wh_0", WRITERS),
    ("POST", "/v1/chat/completions", None),
]


def is_error(answer: httpx.Response) -> bool:
    error = answer.json().get("error", {})
    return set(error) == {"message", "type", "param", "code"} and isinstance(error["message"], str)


def audit(api: Api) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(api.facts["paths"]["audit_log"]).read_text().splitlines()]


@pytest.mark.parametrize(("method", "path", "allowed"), ROUTES, ids=lambda value: value if isinstance(value, str) else "")
def test_scope_matrix(method: str, path: str, allowed: set[str] | None, api: Api) -> None:
    anonymous = api.ask(method, path, "")
    assert (anonymous.status_code, is_error(anonymous)) == (401, True)
    assert anonymous.headers["www-authenticate"].startswith("Bearer")
    unknown = api.ask(method, path, "", {"authorization": "Bearer " + "x" * 43})
    assert (unknown.status_code, is_error(unknown)) == (403, True)
    for caller in api.tokens:
        answer = api.ask(method, path, caller)
        assert (answer.status_code == 403) == (allowed is not None and caller not in allowed), (caller, answer.status_code)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic abc", "bearer:x"])
def test_anything_but_a_bearer_token_is_401(authorization: str, api: Api) -> None:
    assert api.ask("GET", "/v1/models", "", {"authorization": authorization}).status_code == 401


def test_attached_chat_asks_for_write_and_a_deny_leaves_nothing(api: Api) -> None:
    before = api.ask("GET", "/v1/traces?limit=100").json()
    assert api.chat(caller="alpha-reader").status_code == 403
    assert api.chat(caller="alpha-reader", granularity=None).status_code == 200
    assert api.ask("GET", "/v1/traces?limit=100").json() == before


@pytest.mark.parametrize("granularity", ["sentence", "token"])
def test_chat_becomes_a_trace_and_a_graph(granularity: str, api: Api) -> None:
    chat = api.chat(granularity=granularity)
    assert chat.json()["choices"][0]["message"]["role"] == "assistant"
    trace_id = chat.headers["x-trace-id"]
    done = api.ended(trace_id)
    assert (done["state"], done["granularity"], done["tenant_id"], done["error"], done["degraded"]) == (
        "complete",
        granularity,
        "alpha",
        None,
        [],
    )
    assert done["created_at"] <= done["queued_at"] <= done["started_at"] <= done["finished_at"] == done["updated_at"]
    graph = api.ask("GET", f"/v1/traces/{trace_id}/graph", "alpha-reader").json()
    assert graph["meta"] == {
        "version": "hif-1",
        "trace_id": trace_id,
        "tenant_id": "alpha",
        "model": "gpt-4o-mini",
        "granularity": granularity,
        "featureset": "sae-gpt4-2m",
        "created_at": done["created_at"],
    }
    for what in ("status", "graph"):
        first, second = (api.ask("GET", f"/v1/traces/{trace_id}/{what}").content for _ in range(2))
        assert first == second
    assert api.ask("POST", f"/v1/traces/{trace_id}/cancel").status_code == 409
    assert api.status(trace_id) == done


def test_chat_that_is_not_attached_leaves_no_trace(api: Api) -> None:
    assert "x-trace-id" not in api.chat(granularity=None).headers


@pytest.mark.parametrize("granularity", ["sentence", None])
def test_streamed_chat(granularity: str | None, api: Api) -> None:
    plain = api.chat(granularity=None).json()["choices"][0]["message"]["content"]
    answer = api.chat(granularity=granularity, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    assert events[-1] == "[DONE]"
    assert "".join(json.loads(event)["choices"][0]["delta"].get("content", "") for event in events[:-1]) == plain
    if granularity:
        trace_id = answer.headers["x-trace-id"]
        assert api.ended(trace_id)["state"] == "complete"
        graph = api.ask("GET", f"/v1/traces/{trace_id}/graph").json()
        assert any(node["attrs"]["side"] == "answer" and node["attrs"]["text"] in plain for node in graph["nodes"])
    else:
        assert "x-trace-id" not in answer.headers


def test_canceled_trace_stays_canceled(api: Api) -> None:
    trace_id = api.submit(granularity="token")
    canceled = api.ask("POST", f"/v1/traces/{trace_id}/cancel")
    assert (canceled.status_code, canceled.json()["state"]) == (200, "canceled")
    assert api.ask("POST", f"/v1/traces/{trace_id}/cancel").json() == canceled.json()
    assert api.ask("GET", f"/v1/traces/{trace_id}/graph").status_code == 409
    done = api.submit()
    api.ended(done)
    assert api.status(trace_id) == canceled.json()


def test_tenants_do_not_exist_for_each_other(api: Api) -> None:
    trace_id = api.submit(granularity="token")
    for _ in range(2):
        for method, action in (("GET", "status"), ("GET", "graph"), ("POST", "cancel")):
            foreign = api.ask(method, f"/v1/traces/{trace_id}/{action}", "beta-writer", {"x-tenant-id": "alpha"})
            unknown = api.ask(method, f"/v1/traces/tr_nothing/{action}", "beta-writer")
            assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content) == (404, unknown.content)
        assert api.ended(trace_id)["state"] == "complete"
    listed = api.ask("GET", "/v1/traces?limit=100", "beta-writer").json()["data"]
    assert {row["tenant_id"] for row in listed} <= {"beta"}


def test_any_text_is_answered_and_explained(api: Api) -> None:
    for text in ('"\\ud800 half a pair"', '"\\u0000 \\u202e"', '""', '"?!"', '[{"type": "text", "text": "in parts"}]', "null"):
        body = f'{{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": {text}}}]}}'
        answer = api.ask("POST", "/v1/chat/completions", headers={"x-explain-mode": "hypergraph"}, content=body.encode())
        assert answer.status_code == 200, text
        trace_id = answer.headers["x-trace-id"]
        assert api.ended(trace_id)["state"] == "complete", text
        assert api.ask("GET", f"/v1/traces/{trace_id}/graph").json()["nodes"], text


def test_tenant_label_files_nothing_elsewhere(api: Api) -> None:
    headers = {"x-explain-mode": "hypergraph", "x-tenant-id": "beta"}
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": PROMPT}]}
    trace_id = api.ask("POST", "/v1/chat/completions", headers=headers, json=body).headers["x-trace-id"]
    assert api.status(trace_id)["tenant_id"] == "alpha"


def test_list_is_newest_first_and_limited(api: Api) -> None:
    made = [api.submit(caller="beta-writer") for _ in range(3)]
    listed = api.ask("GET", "/v1/traces?limit=2", "beta-writer").json()
    assert listed["object"] == "list"
    assert [row["trace_id"] for row in listed["data"]] == made[:0:-1]
    for limit in ("0", "101", "-1", "ten", "²"):
        assert api.ask("GET", "/v1/traces", params={"limit": limit}).status_code == 400


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (b"\xff", None),
        (b'{"model": NaN}', None),
        (b"[" * 200_000, None),
        (b'{"messages": []}', "model"),
        (b'{"model": "m"}', "messages"),
        (b'{"model": "m", "messages": []}', "messages"),
        (b'{"model": "m", "messages": ["hi"]}', "messages[0].role"),
        (b'{"model": "m", "messages": [{"role": "user", "content": 7}]}', "messages[0].content"),
        (b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": "yes"}', "stream"),
    ],
)
def test_bad_chat_is_explained(body: bytes, param: str | None, api: Api) -> None:
    answer = api.ask("POST", "/v1/chat/completions", content=body)
    assert (answer.status_code, is_error(answer), answer.json()["error"]["param"]) == (400, True, param)


@pytest.mark.parametrize(
    "headers",
    [{"x-explain-mode": "graph"}, {"x-explain-mode": "hypergraph", "x-explain-granularity": "word"}]
    + [{"x-explain-mode": "hypergraph", "x-explain-features": name} for name in ("", "A", "../x")],
)
def test_bad_explain_header_is_explained(headers: dict[str, str], api: Api) -> None:
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}
    answer = api.ask("POST", "/v1/chat/completions", headers=headers, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_header")


def test_unknown_model_oversized_body_unknown_path_and_wrong_method_are_openai_errors(api: Api) -> None:
    answers = [
        (404, api.chat(model="no-such-model")),
        (413, api.ask("POST", "/v1/chat/completions", content=b" " * (MAX_BODY + 1))),
        (404, api.ask("GET", "/v2/models")),
        (405, api.ask("PUT", "/v1/models")),
    ]
    assert [(status, answer.status_code, is_error(answer)) for status, answer in answers] == [(s, s, True) for s, _ in answers]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://h/", "secret": "s" * 16},
        {"url": "http://u:p@h/", "secret": "s" * 16},
        {"url": "http://h:99999/", "secret": "s" * 16},
        {"url": "http://h/a b", "secret": "s" * 16},
        {"url": "http://h/", "secret": "short"},
        {"url": "http://h/", "secret": "s" * 16, "events": []},
        {"url": "http://h/", "secret": "s" * 16, "events": ["trace.born"]},
    ],
)
def test_bad_webhook_is_explained(body: dict[str, Any], api: Api) -> None:
    answer = api.ask("POST", "/v1/webhooks", json=body)
    assert (answer.status_code, is_error(answer)) == (400, True)


def test_webhooks_are_the_tenants_and_never_show_their_secret(api: Api) -> None:
    made = api.ask("POST", "/v1/webhooks", json={"url": "http://127.0.0.1:9/x", "secret": "never-shown-secret"})
    assert made.status_code == 201
    own, foreign = api.ask("GET", "/v1/webhooks"), api.ask("GET", "/v1/webhooks", "beta-writer")
    assert made.json() in own.json()["data"]
    assert made.json()["id"] not in foreign.text
    assert "never-shown" not in made.text + own.text
    path = f"/v1/webhooks/{made.json()['id']}"
    assert [api.ask("DELETE", path, caller).status_code for caller in ("beta-writer", "alpha-submitter", "alpha-writer")] == [404, 204, 404]


def test_every_action_is_audited_scrubbed_and_without_credentials(api: Api) -> None:
    prompt = "Ask jane@example.org, card 4111 1111 1111 1111, phone +49 30 1234567. " + "x" * 300
    answer = api.chat(prompt, granularity="sentence")
    trace_id = answer.headers["x-trace-id"]
    refused = api.chat(prompt, caller="alpha-reader")
    anonymous = api.chat(prompt, caller="alpha-writer", granularity=None, model="")
    for method, path in (("GET", f"/v1/traces/{trace_id}/status"), ("GET", "/v1/traces/jane@example.org/status"), ("GET", "/v1/models")):
        api.ask(method, path)
    api.ask("GET", "/v1/webhooks", "")
    entries = {entry["request_id"]: entry for entry in audit(api)}
    allowed = entries[answer.headers["x-request-id"]]
    assert allowed | {"ts": ""} == {
        "ts": "",
        "request_id": answer.headers["x-request-id"],
        "action": "chat.create",
        "tenant_id": "alpha",
        "subject": "alpha-writer",
        "trace_id": trace_id,
        "outcome": "allowed",
        "snippet": ("Ask [email], card [card], phone [phone]. " + "x" * 300)[:200],
    }
    assert entries[refused.headers["x-request-id"]]["outcome"] == "denied:403"
    assert "[email]" in entries[refused.headers["x-request-id"]]["snippet"]
    assert entries[anonymous.headers["x-request-id"]]["outcome"] == "error:400"
    last = list(entries.values())[-4:]
    assert [(e["action"], e["outcome"], e["subject"]) for e in last] == [
        ("trace.status", "allowed", "alpha-writer"),
        ("trace.status", "not_found", "alpha-writer"),
        ("models.list", "allowed", "alpha-writer"),
        ("webhook.list", "denied:401", None),
    ]
    assert last[1]["trace_id"] == "[email]"
    log = Path(api.facts["paths"]["audit_log"])
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    told = log.read_text()
    assert not any(secret in told for secret in [*api.tokens.values(), "jane@", "4111", "1234567"])


def test_nothing_confidential_is_in_the_service_logs(api: Api) -> None:
    api.ended(api.submit("The canary is Quetzalcoatlus. Mail quetzal@example.org."))
    for log in Path(api.facts["paths"]["logs"]).iterdir():
        told = log.read_text()
        assert not any(word in told for word in ["Quetzal", "quetzal", "Bearer", *api.tokens.values()]), log.name


def test_graphs_hold_no_personal_data(api: Api) -> None:
    trace_id = api.submit("Write to quetzal@example.org about the card 4111 1111 1111 1111.", granularity="token")
    api.ended(trace_id)
    graph = api.ask("GET", f"/v1/traces/{trace_id}/graph").json()
    told = [node["attrs"]["text"] for node in graph["nodes"]] + [edge["edge"] for edge in graph["edges"]]
    assert "email" in told
    assert not {"quetzal", "example", "4111", "1111"} & set(told)


def test_counters_move(api: Api) -> None:
    samples = {
        "gateway": 'chat_requests_total{attached="true",outcome="answered"}',
        "explainer": 'explainer_jobs_total{state="complete"}',
    }
    before = {service: api.metric(service, sample) for service, sample in samples.items()}
    stages = api.metric("explainer", 'explainer_stage_duration_seconds_count{stage="persist"}')
    trace_id = api.submit()
    api.ended(trace_id)
    assert {service: api.metric(service, sample) for service, sample in samples.items()} == {s: n + 1 for s, n in before.items()}
    assert api.metric("explainer", 'explainer_stage_duration_seconds_count{stage="persist"}') == stages + 1
    for bound in ("0.5", "1.5", "2.0", "3.5", "8.0"):
        assert (
            f'explainer_stage_duration_seconds_bucket{{le="{bound}",stage="decode"}}' in httpx.get(api.facts["metrics"]["explainer"]).text
        )
    told = httpx.get(api.facts["metrics"]["gateway"]).text
    assert trace_id not in told
    assert 'route="/v1/traces/{trace_id}/status"' in told


def test_only_the_gateway_may_use_the_interceptor(api: Api) -> None:
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}
    headers = {"x-sidecar-trace": json.dumps({"trace_id": "tr_x", "tenant_id": "alpha"})}
    assert httpx.post(f"{api.facts['urls']['interceptor']}/v1/chat/completions", json=body, headers=headers).status_code == 403


def specification() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(OPENAPI.read_text())
    return document


@pytest.mark.parametrize("path", [OPENAPI, OPENAPI.parent / "released" / OPENAPI.name], ids=["current", "released"])
def test_specification_is_valid(path: Path) -> None:
    validate(yaml.safe_load(path.read_text()))


def test_specification_is_served_and_names_every_route(api: Api) -> None:
    assert api.ask("GET", "/v1/openapi.json", "alpha-submitter").json() == specification()
    assert yaml.safe_load(Path(api.facts["paths"]["openapi"]).read_text()) == specification()
    documented = {(method.upper(), path) for path, item in specification()["paths"].items() for method in item if method != "parameters"}
    served = {(m, p.replace("tr_0", "{trace_id}").replace("wh_0", "{webhook_id}")) for m, p, _ in ROUTES}
    assert documented == served


def test_answers_are_as_specified(api: Api) -> None:
    document = specification()
    registry = Registry().with_resource("urn:api", DRAFT202012.create_resource(document))

    def check(path: str, method: str, answer: httpx.Response) -> None:
        place = document["paths"][path][method]["responses"][str(answer.status_code)]
        while "$ref" in place:
            place = document["components"]["responses"][place["$ref"].rpartition("/")[2]]
        schema = place["content"]["application/json"]["schema"]
        pointer = {"$ref": "urn:api" + schema["$ref"]} if "$ref" in schema else schema
        errors = [e.message for e in OAS31Validator(pointer, registry=registry).iter_errors(answer.json())]
        assert errors == [], (method, path, answer.status_code)

    chat = api.chat()
    trace_id = chat.headers["x-trace-id"]
    trace, graph = "/v1/traces/{trace_id}/status", "/v1/traces/{trace_id}/graph"
    check("/v1/chat/completions", "post", chat)
    check(graph, "get", api.ask("GET", f"/v1/traces/{trace_id}/graph"))
    check(trace, "get", api.ask("GET", f"/v1/traces/{trace_id}/status"))
    api.ended(trace_id)
    check(trace, "get", api.ask("GET", f"/v1/traces/{trace_id}/status"))
    check(graph, "get", api.ask("GET", f"/v1/traces/{trace_id}/graph"))
    check(graph, "get", api.ask("GET", "/v1/traces/tr_0/graph"))
    check(trace, "get", api.ask("GET", f"/v1/traces/{trace_id}/status", ""))
    check("/v1/traces", "get", api.ask("GET", "/v1/traces"))
    check("/v1/models", "get", api.ask("GET", "/v1/models"))
    made = api.ask("POST", "/v1/webhooks", json={"url": "http://127.0.0.1:9/", "secret": "s" * 16})
    check("/v1/webhooks", "post", made)
    check("/v1/webhooks", "get", api.ask("GET", "/v1/webhooks"))
    api.ask("DELETE", f"/v1/webhooks/{made.json()['id']}")
    check("/v1/webhooks", "post", api.ask("POST", "/v1/webhooks", json={}))
    check("/v1/chat/completions", "post", api.chat(messages=[]))


def test_without_authentication_everybody_is_one_tenant(start_api: Callable[..., Api]) -> None:
    api = start_api("--set", "AUTH_MODE=none")
    assert api.tokens == {}
    trace_id = api.submit(caller="")
    assert api.ended(trace_id, "")["tenant_id"] == "default"
    assert api.ask("GET", "/v1/traces", "", {"authorization": "Bearer whatever"}).status_code == 200


def test_what_is_switched_off_is_not_there(start_lab: Callable[..., Lab]) -> None:
    lab = start_lab("--set", "ENABLE_OTEL=0", "--set", "AUDIT_ENABLED=0")
    api = Api(lab.facts)
    assert (lab.facts["metrics"], "audit_log" in lab.facts["paths"]) == ({}, False)
    assert [httpx.get(f"{lab.facts['urls'][name]}/metrics").status_code for name in ("gateway", "explainer")] == [404, 404]
    api.ended(api.submit())
    assert list((lab.state / "audit").iterdir()) == []


def test_upstream_that_is_down_is_a_502_and_leaves_no_trace(start_api: Callable[..., Api]) -> None:
    api = start_api("--set", "LLM_PROXY_URL=http://127.0.0.1:9")
    assert api.facts["urls"]["llm"] == "http://127.0.0.1:9"
    for answer in (api.chat(), api.chat(stream=True), api.ask("GET", "/v1/models")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unreachable")
    assert api.ask("GET", "/v1/traces").json()["data"] == []
    assert eventually(lambda: audit(api)[-1]["action"] == "trace.list")
    assert [entry["outcome"] for entry in audit(api)] == ["error:502"] * 3 + ["allowed"]


def test_real_upstream_is_used_with_its_key(start_api: Callable[..., Api], healthy_lab: Lab) -> None:
    # Any OpenAI-compatible API will do; here it is another lab's LLM.
    upstream = healthy_lab.facts["urls"]["llm"]
    api = start_api("--set", f"LLM_PROXY_URL={upstream}/v1", "--set", "LLM_API_KEY=secret-key")
    assert "secret-key" not in json.dumps(api.facts)
    assert api.ended(api.submit())["state"] == "complete"

"""A lab in front of a real upstream: whatever that one answers, callers are answered as the API's document says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
import yaml

from lab.process.state_directory import CHECKOUT
from tests.lab.client import Api
from tests.lab.upstream import TOLD, Upstream, answering

PATHS = yaml.safe_load((CHECKOUT / "lab/api/openapi/hypergraph-api.yaml").read_text())["paths"]
ERROR = json.dumps({"error": {"message": "no", "type": "some_error", "param": None, "code": "of_the_upstream"}}).encode()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with answering() as running:
        yield running


@pytest.fixture
def api(upstream: Upstream, start_api: Callable[..., Api]) -> Api:
    return start_api("--set", f"LLM_PROXY_URL={upstream.url}")


def test_answers_of_an_upstream_that_compresses_are_readable(upstream: Upstream, api: Api) -> None:
    for upstream.compresses_always in (False, True):
        whole = api.chat()
        assert whole.json()["choices"][0]["message"]["content"] == TOLD
        streamed = api.chat(stream=True)
        assert streamed.headers["content-type"].startswith("text/event-stream")
        events = [line.removeprefix("data: ") for line in streamed.content.decode().splitlines() if line]
        assert events[-1] == "[DONE]"
        assert "".join(json.loads(event)["choices"][0]["delta"]["content"] for event in events[:-1]).split() == TOLD.split()
        assert [api.ended(answer.headers["x-trace-id"])["state"] for answer in (whole, streamed)] == ["complete", "complete"]
        assert api.ask("GET", "/v1/models").json() == {"object": "list", "data": []}


def test_what_an_upstream_refuses_is_told_as_documented(upstream: Upstream, api: Api) -> None:
    passed = {400: 400, 404: 404, 413: 413, 429: 429}
    for upstream.body in (ERROR, b"<html>"):
        for upstream.status in (201, 302, 400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 503, 504, 529):
            for answer, told in (
                (api.chat(), passed if upstream.body == ERROR else {}),
                (api.chat(stream=True, granularity=None), passed if upstream.body == ERROR else {}),
                (api.ask("GET", "/v1/models"), {}),
            ):
                assert answer.status_code == told.get(upstream.status, 502), (upstream.status, answer.text)
                assert str(answer.status_code) in PATHS[answer.request.url.path][answer.request.method.lower()]["responses"]
                assert answer.json()["error"]["code"] == ("of_the_upstream" if answer.status_code != 502 else "upstream_failed")
                assert "x-trace-id" not in answer.headers
    assert api.ask("GET", "/v1/traces").json()["data"] == []
    entries = [json.loads(line) for line in Path(api.facts["paths"]["audit_log"]).read_text().splitlines()]
    assert [entry for entry in entries if entry["outcome"].startswith("denied")] == []


def test_an_upstream_with_too_much_to_do_is_left_alone_for_whole_seconds(upstream: Upstream, api: Api) -> None:
    upstream.status, upstream.body = 429, ERROR
    soon = formatdate(time.time() + 3000, usegmt=True)
    unusable = ["0", "0.4", "soon", "Fri, 1 Jan 99999 00:00:00 GMT", "9" * 5000, "", None]
    for told, least, most in [("7", 7, 7), (soon, 2000, 3001), *((told, 1, 1) for told in unusable)]:
        upstream.headers = {} if told is None else {"retry-after": told}
        answer = api.chat(granularity=None)
        assert answer.status_code == 429
        assert least <= int(answer.headers["retry-after"]) <= most, told

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module trace_probe as Ansible runs it."""

from __future__ import annotations

import json
import socket
from types import MappingProxyType

import pytest
import yaml

from ansible_collections.hypergraph.sidecar.plugins.modules import trace_probe
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.trace_workflow.stand_in import TENANT, TOKEN, StandIn
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

TOKENS = [{"name": "writer", "token": TOKEN, "tenant_id": TENANT, "scopes": ["traces:write", "traces:read"]}]


@pytest.fixture
def gateway():
    serving = StandIn()
    serving.start()
    yield serving
    serving.stop()


def test_its_defaults_examine_everything(gateway, monkeypatch, capsys):
    result = run_main(trace_probe.main, {"base_url": gateway.url, "tokens": TOKENS}, monkeypatch, capsys)
    verdict = result["verdict"]
    assert (result["changed"], verdict["check"], verdict["status"]) == (False, "trace_workflow", "pass")
    assert not verdict["skips"]
    assert {"graph_sentence", "graph_token"} <= set(verdict["evidence"])
    assert "webhook deliveries" in verdict["examined"]
    result.pop("invocation")
    assert TOKEN not in json.dumps(result)
    assert gateway.webhooks == {}


def test_its_deadline_ends_it_and_leaves_no_webhook(gateway, monkeypatch, capsys):
    gateway.takes = MappingProxyType({"sentence": 10**6, "token": 10**6})
    result = run_main(trace_probe.main, {"base_url": gateway.url, "tokens": TOKENS, "deadline": 0.5}, monkeypatch, capsys)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "deadline-exceeded")
    assert gateway.webhooks == {}


def test_an_unreachable_service_is_an_error_and_the_listener_is_gone(monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        base_url = f"http://127.0.0.1:{free.getsockname()[1]}"
    result = run_main(trace_probe.main, {"base_url": base_url, "tokens": TOKENS}, monkeypatch, capsys)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "service-unreachable")


def test_an_unknown_granularity_is_refused_by_name(monkeypatch, capsys):
    arguments = {"base_url": "http://127.0.0.1:1", "granularities": ["word"]}
    result = run_main(trace_probe.main, arguments, monkeypatch, capsys)
    assert result["failed"]
    assert "granularities must be one or more of: sentence, token" in result["msg"]


def test_what_is_documented_is_what_is_taken(gateway, monkeypatch, capsys):
    documented = yaml.safe_load(trace_probe.DOCUMENTATION)["options"]
    result = run_main(trace_probe.main, {"base_url": gateway.url, "tokens": TOKENS}, monkeypatch, capsys)
    taken = result["invocation"]["module_args"]
    for name, option in documented.items():
        assert taken[name] == option.get("default"), name

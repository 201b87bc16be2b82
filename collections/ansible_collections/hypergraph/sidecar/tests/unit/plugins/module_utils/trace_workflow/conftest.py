# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway to run the check against, and the check."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.trace_workflow import lifecycle
from ansible_collections.hypergraph.sidecar.plugins.modules import trace_probe
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.trace_workflow.stand_in import TENANT, TOKEN, StandIn
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

TOKENS = [{"name": "writer", "token": TOKEN, "tenant_id": TENANT, "scopes": ["traces:write", "traces:read"]}]
LIMITS = {"deadline": 20, "trace_deadline": 5, "webhook_deadline": 3, "cancel_attempts": 3, "graph_max_bytes": 100_000}


@pytest.fixture
def serve():
    running = []

    def start(**overrides):
        gateway = type("Variant", (StandIn,), overrides)()
        gateway.start()
        running.append(gateway)
        return gateway

    yield start
    for gateway in running:
        gateway.stop()


@pytest.fixture
def verdict_on(monkeypatch, capsys):
    # Traces move on as often as they are read, so that waiting between reads shows nothing.
    monkeypatch.setattr(lifecycle, "POLL_INTERVAL", 0.01)

    def examine(gateway, **arguments):
        result = run_main(trace_probe.main, {"base_url": gateway.url, "tokens": TOKENS, **LIMITS, **arguments}, monkeypatch, capsys)
        return result["verdict"]

    return examine

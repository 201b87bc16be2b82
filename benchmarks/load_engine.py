"""The load engine as a command, as the benchmarks start it: its one argument tells, as JSON, what of its defaults is different."""

from __future__ import annotations

import json
import sys

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.engine import Run, run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.plan import ARGUMENTS, plan
from benchmarks.load_peers import TOKEN


def main() -> None:
    """Run."""
    told = json.loads(sys.argv[1])
    token = Token("bench", TOKEN, "bench", frozenset({"traces:write", "traces:read"}))
    connection = Connection(told.pop("base_url"), (token,), validate_certs=False)
    params = {name: spec.get("default") for name, spec in ARGUMENTS.items()} | {"slo_ms": {}, "warmup": 0.0} | told
    summary = run(plan(params, connection), connection, Run.told(params))
    bad = sum(measured["count"] - measured["ok"] for measured in summary["classes"]["chat"].values())
    sys.exit(f"{bad} chats failed" if bad else 0)


if __name__ == "__main__":
    main()

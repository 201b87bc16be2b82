"""Chaos that is off, or over, leaves no trace in what the explainer makes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Lab
from tests.lab.client import Api
from tests.running import CHECKOUT, environment

# What belongs to one trace alone: its id, and its times.
ITS_OWN = re.compile(rb"tr_[0-9a-f]{32}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")


def made(api: Api) -> list[bytes]:
    """Statuses and graphs of a sentence and a token explanation, without what belongs to these traces alone."""
    bodies = []
    for granularity in ("sentence", "token"):
        trace_id = api.submit(granularity=granularity)
        assert api.ended(trace_id)["state"] == "complete"
        bodies += [api.ask("GET", f"/v1/traces/{trace_id}/{what}").content for what in ("status", "graph")]
    return [ITS_OWN.sub(b"-", body.replace(api.facts["state_dir"].encode(), b"-")) for body in bodies]


def switch(lab: Lab, arguments: str) -> None:
    """Module chaos on the lab, as a person would call it."""
    command = ["ansible", "sidecar_explainers", "-i", "inventories/lab", "-m", "hypergraph.sidecar.chaos", "-a", arguments]
    subprocess.run(command, cwd=CHECKOUT, env=environment(SIDECAR_LAB_STATE=str(lab.state)), check=True, capture_output=True)


def test_explanations_are_byte_for_byte_what_they_were(start_lab: Callable[..., Lab]) -> None:
    lab = start_lab()
    api, control = Api(lab.facts), Path(lab.facts["paths"]["chaos_control"])
    untouched = made(api)
    assert not control.exists()
    assert all(len(body) > 100 for body in untouched)
    switch(lab, "fault=fail-attribution percent=100 mode=fallback ttl=60")
    assert made(api) != untouched, "the fault did not take effect, so that its end proves nothing"
    switch(lab, "state=absent")
    assert not control.exists()
    assert made(api) == untouched
    control.write_text('{"fail-attribution": {"percent": 100, "mode": "fail", "expires_at": "2020-01-01T00:00:00Z"}}')
    assert made(api) == untouched

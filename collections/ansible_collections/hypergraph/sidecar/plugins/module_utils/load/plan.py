# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a load run is to do, read from a module's arguments: model, phases, what is asked for, and the limits of it all."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..connection import Connection, Token
from ..faults import CheckError
from .stopping import StopEarly

CHAT, SENTENCE, TOKEN = "chat", "sentence", "token"
CLASSES = (CHAT, SENTENCE, TOKEN)
_SLO_DEFAULTS = {CHAT: 500.0, SENTENCE: 2000.0, TOKEN: 8000.0}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "directory": {"type": "path", "required": True},
    "environment": {"type": "str", "default": ""},
    "run_id": {"type": "str"},
    "load_model": {"type": "str", "choices": ["closed", "open"], "default": "closed"},
    "concurrency": {"type": "int", "default": 64},
    "rate": {"type": "float"},
    "arrivals": {"type": "str", "choices": ["constant", "poisson"], "default": "constant"},
    "warmup": {"type": "float", "default": 10.0},
    "ramp": {"type": "float", "default": 0.0},
    "duration": {"type": "float", "default": 60.0},
    "phases": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": ["warmup", "steady", "ramp", "burst"], "default": "steady"},
            "duration": {"type": "float", "required": True},
            "rate": {"type": "float"},
            "concurrency": {"type": "int"},
            "attach_rate": {"type": "float"},
            "granularity": {"type": "str", "choices": ["sentence", "token", "mix"]},
        },
    },
    "attach_rate": {"type": "float", "default": 0.3},
    "granularity": {"type": "str", "choices": ["sentence", "token", "mix"], "default": "mix"},
    "featureset": {"type": "str", "default": "sae-gpt4-2m"},
    "seed": {"type": "int", "default": 1},
    "stagger": {"type": "float", "default": 0.0},
    "model": {"type": "str", "default": "gpt-4o-mini"},
    "prompts": {
        "type": "list",
        "elements": "str",
        "default": ["Why is the sky blue? Light scatters. Short waves scatter most. So the sky looks blue."],
    },
    "stream": {"type": "bool", "default": False},
    "callers": {"type": "list", "elements": "str", "default": []},
    "connect_timeout": {"type": "float", "default": 5.0},
    "explanation_timeout": {"type": "float", "default": 60.0},
    "slo_ms": {
        "type": "dict",
        "default": {},
        "options": {name: {"type": "float", "default": limit, "no_log": False} for name, limit in _SLO_DEFAULTS.items()},
    },
    "poll_interval": {"type": "float", "default": 0.1},
    "poll_rate": {"type": "float", "default": 1000.0},
    "poll_connections": {"type": "int", "default": 8},
    "stop_early": {
        "type": "dict",
        "options": {
            "quantile": {"type": "float", "default": 0.95},
            "confidence": {"type": "float", "default": 0.95},
            "correlation_seconds": {"type": "float", "default": 1.0},
        },
    },
    "start_at": {"type": "float"},
    "clock_offset_ms": {"type": "float"},
    "clock_uncertainty_ms": {"type": "float"},
    "watched_within": {"type": "float"},
}

# The mix of DESIGN section 6.
SENTENCE_SHARE = 0.8
MAX_CONCURRENCY = 1000
MAX_RATE = 200_000.0
MAX_SECONDS = 7 * 24 * 3600.0
MAX_PHASES = 500
# What the histogram reaches to.
MAX_LATENCY_S = 3600.0
_TOLD_OF_PHASES = ("name", "kind", "starts_s", "duration_s", "rate_per_s", "concurrency", "attach_rate", "granularity")


@dataclass(frozen=True)
class Phase:
    """One stretch of the run, in seconds since its start. ``rate_per_s`` is None where the rate is not limited.

    In a ramp, rate and concurrency go in a straight line from those of the phase before (nothing, for the first) to its own.
    """

    name: str
    kind: str
    starts_s: float
    duration_s: float
    rate_per_s: float | None
    concurrency: int
    attach_rate: float
    granularity: str
    rate_from: float
    concurrency_from: int

    @property
    def ends_s(self) -> float:
        """When it ends, in seconds since the start of the run."""
        return self.starts_s + self.duration_s


@dataclass(frozen=True)
class Plan:
    """A checked plan. Times are in seconds, rates per second; the tokens' values are in ``callers`` and kept out of ``repr``."""

    model: str
    arrivals: str
    phases: tuple[Phase, ...]
    concurrency: int
    rate_per_s: float | None
    attach_rate: float
    granularity: str
    featureset: str
    seed: int
    stagger: float
    chat_model: str
    prompts: tuple[str, ...]
    stream: bool
    callers: tuple[Token | None, ...]
    readers: tuple[Token | None, ...]
    chat_timeout: float
    connect_timeout: float
    explanation_timeout: float
    slo_ms: Mapping[str, float]
    poll_interval: float
    poll_rate: float
    poll_connections: int
    stop_early: StopEarly | None = None

    @property
    def duration_s(self) -> float:
        """Seconds in which requests are sent; answers and explanations may take longer."""
        return self.phases[-1].ends_s

    @property
    def attaches(self) -> bool:
        """Whether any phase asks for explanations."""
        return any(phase.attach_rate > 0 for phase in self.phases)

    def document(self) -> dict[str, Any]:
        """The plan as the summary shows it; no token is in it, and no prompt but a digest of them all."""
        return {
            "model": self.model,
            "arrivals": self.arrivals,
            "concurrency": self.concurrency,
            "rate_per_s": self.rate_per_s,
            "attach_rate": self.attach_rate,
            "granularity": self.granularity,
            "featureset": self.featureset,
            "chat_model": self.chat_model,
            "prompts": f"sha256:{hashlib.sha256(json.dumps(self.prompts).encode()).hexdigest()[:16]}",
            "stream": self.stream,
            "seed": self.seed,
            "stagger": self.stagger,
            "phases": [{name: getattr(phase, name) for name in _TOLD_OF_PHASES} for phase in self.phases],
            "timeouts": {"chat_s": self.chat_timeout, "explanation_s": self.explanation_timeout, "connect_s": self.connect_timeout},
            "slo_ms": dict(self.slo_ms),
            "polling": {"interval_s": self.poll_interval, "rate_per_s": self.poll_rate, "connections": self.poll_connections},
            **({"stop_early": self.stop_early.document()} if self.stop_early else {}),
        }


def plan(params: Mapping[str, Any], connection: Connection) -> Plan:
    """Read and check the plan. Raises CheckError naming the argument, what was expected of it, and the remedy."""
    for name, low, high in (
        ("concurrency", 1, MAX_CONCURRENCY),
        ("attach_rate", 0, 1),
        ("seed", 0, 2**63),
        ("stagger", 0, 1),
        ("connect_timeout", 0.001, 3600),
        ("explanation_timeout", 0.001, MAX_LATENCY_S),
        ("poll_interval", 0.01, 3600),
        ("poll_rate", 0.1, MAX_RATE),
        ("poll_connections", 1, MAX_CONCURRENCY),
    ):
        _within(name, params[name], low, high)
    _within("timeout", connection.timeout, 0.001, MAX_LATENCY_S)
    phases = _phases(params)
    if params["load_model"] == "open" and any(phase.rate_per_s is None for phase in phases):
        nameless = next(phase.name for phase in phases if phase.rate_per_s is None)
        raise _bad("rate", f"the open model needs a rate for each phase, and {nameless!r} has none", "Set rate, or use load_model closed.")
    slo_ms = objectives(params["slo_ms"])
    for name, value in slo_ms.items():
        _within(f"slo_ms.{name}", value, 0.001, MAX_SECONDS * 1000)
    prompts = tuple(params["prompts"])
    if not prompts or not all(prompt.strip() for prompt in prompts):
        raise _bad("prompts", "it is empty or has an empty text", "Give at least one prompt.")
    if not params["featureset"].isascii() or not params["featureset"].isprintable() or not params["featureset"].strip():
        raise _bad("featureset", "it cannot be sent in a header", "Use printable ASCII characters.")
    callers, readers = _callers(params["callers"], connection, any(phase.attach_rate > 0 for phase in phases))
    return Plan(
        model=params["load_model"],
        arrivals=params["arrivals"],
        phases=phases,
        concurrency=max(phase.concurrency for phase in phases),
        rate_per_s=params["rate"],
        attach_rate=params["attach_rate"],
        granularity=params["granularity"],
        featureset=params["featureset"],
        seed=params["seed"],
        stagger=float(params["stagger"]),
        chat_model=params["model"],
        prompts=prompts,
        stream=params["stream"],
        callers=callers,
        readers=readers,
        chat_timeout=connection.timeout,
        connect_timeout=min(params["connect_timeout"], connection.timeout),
        explanation_timeout=params["explanation_timeout"],
        slo_ms=slo_ms,
        poll_interval=params["poll_interval"],
        poll_rate=params["poll_rate"],
        poll_connections=params["poll_connections"],
        stop_early=_stop_early(params, phases),
    )


def objectives(told: Mapping[str, float | None] | None) -> dict[str, float]:
    """What answers may take in milliseconds, by class, from an argument ``slo_ms`` that may leave some out."""
    return {name: float((told or {}).get(name) or default) for name, default in _SLO_DEFAULTS.items()}


def _stop_early(params: Mapping[str, Any], phases: tuple[Phase, ...]) -> StopEarly | None:
    """Raises CheckError where the run has more than one phase to decide, or is one of several that would each end at another moment."""
    if params["stop_early"] is None:
        return None
    judged = [phase.name for phase in phases if phase.kind != "warmup"]
    if judged != [phases[-1].name]:
        problem = f"the phases judged are {', '.join(judged)}, expected one, which is the last"
        raise _bad("stop_early", problem, "Leave out the others (ramp), or stop_early.")
    if params["start_at"] is not None:
        raise _bad("stop_early", "the run is one of several that begin together", "Use one generator, or leave out stop_early.")
    return StopEarly.of(params["stop_early"])


def _phases(params: Mapping[str, Any]) -> tuple[Phase, ...]:
    described = list(params["phases"]) or _usual_phases(params)
    if len(described) > MAX_PHASES:
        raise _bad("phases", f"there are {len(described)}, expected at most {MAX_PHASES}", "Join phases that ask for the same.")
    built: list[Phase] = []
    for number, item in enumerate(described):
        where = f"phases[{number}]"
        name = str(item["name"]).strip()
        if not name or not name.isprintable() or name in {phase.name for phase in built}:
            raise _bad(f"{where}.name", f"{name[:60]!r} is empty, unprintable or used twice", "Give each phase a name of its own.")
        rate = _told(item, "rate", params)
        if rate is not None:
            _within(f"{where}.rate" if item.get("rate") is not None else "rate", rate, 0.001, MAX_RATE)
        concurrency = _told(item, "concurrency", params)
        attach_rate = _told(item, "attach_rate", params)
        _within(f"{where}.duration", item["duration"], 0.05, MAX_SECONDS)
        _within(f"{where}.concurrency", concurrency, 1, MAX_CONCURRENCY)
        _within(f"{where}.attach_rate", attach_rate, 0, 1)
        before = built[-1] if built else None
        built.append(
            Phase(
                name=name,
                kind=item.get("kind") or "steady",
                starts_s=before.ends_s if before else 0.0,
                duration_s=float(item["duration"]),
                rate_per_s=None if rate is None else float(rate),
                concurrency=concurrency,
                attach_rate=float(attach_rate),
                granularity=_told(item, "granularity", params),
                rate_from=(before.rate_per_s or 0.0) if before else 0.0,
                concurrency_from=before.concurrency if before else 1,
            )
        )
    if all(phase.kind == "warmup" for phase in built):
        raise _bad("phases", "all are warm-up, which is never judged", "Add a phase of kind steady.")
    if built[-1].ends_s > MAX_SECONDS:
        raise _bad("phases", f"they last {built[-1].ends_s:g} s together, expected at most {MAX_SECONDS:g}", "Shorten them.")
    return tuple(built)


def _usual_phases(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    for name in ("warmup", "ramp", "duration"):
        _within(name, params[name], 0.05 if name == "duration" else 0, MAX_SECONDS)
    usual = (("warmup", "warmup", params["warmup"]), ("ramp", "ramp", params["ramp"]), ("steady", "steady", params["duration"]))
    return [{"name": name, "kind": kind, "duration": seconds} for name, kind, seconds in usual if seconds]


def _told(item: Mapping[str, Any], name: str, params: Mapping[str, Any]) -> Any:
    """What a phase says, or where it says nothing, the plan."""
    return params[name] if item.get(name) is None else item[name]


def _callers(names: list[str], connection: Connection, attaches: bool) -> tuple[tuple[Token | None, ...], tuple[Token | None, ...]]:
    """Tokens to chat with, in turn, and beside each the one that polls its traces: itself, or another of its tenant that may read."""
    if connection.auth_mode == "none":
        return (None,), (None,)
    known = {token.name: token for token in connection.tokens}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise _bad("callers", f"no token with a value is called {', '.join(map(repr, unknown))}", "Name tokens of sidecar_tokens.")
    wanted = ("traces:write",) if attaches else ()
    callers = [known[name] for name in names] or [token for token in connection.tokens if token.has(*wanted, "traces:read")][:1]
    callers = callers or [token for token in connection.tokens if token.has(*wanted)][:1]
    if not callers:
        scopes = " with traces:write, which attached chats need," if attaches else ""
        raise CheckError(
            "token-missing", f"there is no token{scopes} to chat with", "Give sidecar_tokens their values, from vault or environment."
        )
    readers: list[Token | None] = []
    for caller in callers:
        if attaches and not caller.has("traces:write"):
            raise _bad(
                "callers", f"token {caller.name!r} lacks traces:write, which attached chats need", "Name another, or set attach_rate to 0."
            )
        reader = caller if caller.has("traces:read") else connection.token_with("traces:read", tenant_id=caller.tenant_id)
        if attaches and reader is None:
            reason = f"no token of tenant {caller.tenant_id!r} carries traces:read, to follow the explanations asked for"
            raise CheckError("token-missing", reason, "Add one to sidecar_tokens, or set attach_rate to 0.")
        readers.append(reader)
    return tuple(callers), tuple(readers)


def _within(name: str, value: Any, low: float, high: float) -> None:
    # NaN compares false with everything.
    if not (math.isfinite(value) and low <= value <= high):
        raise _bad(name, f"it is {value}, expected {low:g} to {high:g}", "Correct the argument.")


def _bad(name: str, problem: str, remedy: str) -> CheckError:
    return CheckError("bad-load-plan", f"{name}: {problem}", remedy)

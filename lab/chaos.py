"""The chaos control file: faults that the explainer injects into itself while the file says so.

The file is a JSON object of flags; a missing or unreadable file has no effect, nor has a flag that is malformed or past its ``expires_at``
(RFC 3339)::

    {"slow-sae": {"percent": 50, "jitter_ms": 400, "expires_at": "2026-01-31T12:00:00Z"},
     "drop-s3": {"percent": 10},
     "fail-attribution": {"percent": 10, "mode": "fallback"},
     "rate-limit-spike": {"severity": "soft"}}
"""

from __future__ import annotations

import json
import logging
import math
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab import timestamps

_LOG = logging.getLogger("chaos")
_MAX_BYTES = 65536


def _percent(flag: Mapping[str, Any]) -> None:
    _number(flag, "percent", 100.0)


def _number(flag: Mapping[str, Any], name: str, maximum: float) -> None:
    value = flag.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= maximum:
        raise ValueError(f"{name} must be a number from 0 to {maximum:g}")


def _choice(flag: Mapping[str, Any], name: str, *choices: str) -> None:
    if flag.get(name) not in choices:
        raise ValueError(f"{name} must be {' or '.join(choices)}")


def _slow(flag: Mapping[str, Any]) -> None:
    _percent(flag)
    _number(flag, "jitter_ms", 600_000.0)


def _fail(flag: Mapping[str, Any]) -> None:
    _percent(flag)
    _choice(flag, "mode", "fallback", "fail")


def _spike(flag: Mapping[str, Any]) -> None:
    _choice(flag, "severity", "soft", "hard")


_FLAGS: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    "slow-sae": _slow,
    "drop-s3": _percent,
    "fail-attribution": _fail,
    "rate-limit-spike": _spike,
}
FAULTS = tuple(_FLAGS)


class Chaos:
    """The flags in force. The file is read again only when it changed."""

    def __init__(self, path: Path, source: random.Random, injected: Callable[[str], None]) -> None:
        self._path = path
        self._source = source
        self._injected = injected
        self._seen: tuple[int, int, int] | None = None
        self._flags: dict[str, dict[str, Any]] = {}

    def slowness(self) -> float:
        """Seconds by which this job's feature extraction is delayed, between half of ``jitter_ms`` and all of it."""
        flag = self._strikes("slow-sae")
        return self._source.uniform(0.5, 1.0) * float(flag["jitter_ms"]) / 1000 if flag else 0.0

    def drops_graph(self) -> bool:
        """Whether this write of a graph is lost."""
        return self._strikes("drop-s3") is not None

    def attribution_failure(self) -> str:
        """How this job's attribution fails: ``fallback``, ``fail``, or not at all (empty)."""
        flag = self._strikes("fail-attribution")
        return str(flag["mode"]) if flag else ""

    def spike(self) -> str:
        """Severity of a pretended rate-limit spike: ``soft``, ``hard`` or none (empty)."""
        flag = self._in_force("rate-limit-spike")
        return str(flag["severity"]) if flag else ""

    def _strikes(self, name: str) -> dict[str, Any] | None:
        flag = self._in_force(name)
        if flag is None or self._source.uniform(0.0, 100.0) >= flag["percent"]:
            return None
        self._injected(name)
        return flag

    def _in_force(self, name: str) -> dict[str, Any] | None:
        self._reread()
        flag = self._flags.get(name)
        if flag is None or ("until" in flag and datetime.now(UTC) >= flag["until"]):
            return None
        return flag

    def _reread(self) -> None:
        try:
            facts = self._path.stat()
            seen = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
            if seen == self._seen:
                return
            self._seen = seen
            if facts.st_size > _MAX_BYTES:
                raise ValueError(f"it has {facts.st_size} bytes, more than {_MAX_BYTES}")
            self._flags = _read(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            self._seen, self._flags = None, {}
        except (OSError, ValueError, RecursionError) as problem:
            self._flags = {}
            _LOG.warning("the chaos control file has no effect: %s", problem)


def _read(document: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    flags: dict[str, dict[str, Any]] = {}
    for name, flag in document.items():
        try:
            if name not in _FLAGS or not isinstance(flag, dict):
                raise ValueError("no such flag" if name not in _FLAGS else "it is no object")
            _FLAGS[name](flag)
            flags[name] = dict(flag)
            if "expires_at" in flag:
                flags[name]["until"] = timestamps.parse(str(flag["expires_at"]))
        except ValueError as problem:
            flags.pop(name, None)
            _LOG.warning("chaos flag %.40r has no effect: %s", name, problem)
    return flags

"""An explainer that mistreats its chaos control file, and what watches over it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from lab.chaos import Chaos
from lab.defects.seeded import Seeded

# Longer than the lab's budget for recovering, and shorter than the patience after it.
_LINGERS_SECONDS = 13.0


class FaultyChaos(Seeded, Chaos):
    """Does not heed the control file, or not its end, or ends the process that guards it."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._remembered: dict[str, dict[str, Any]] = {}
        self._gone_since: dict[str, float] = {}

    def spike(self) -> str:
        """The severity; this is asked for regularly, and so is a good occasion."""
        if lease := _lease(self._path):
            self._end_dead_man(lease)
        return super().spike()

    def _in_force(self, name: str) -> dict[str, Any] | None:
        flag = super()._in_force(name)
        if flag is not None:
            if flag.get("percent") != 0 and self._defects.applied("chaos-toggle-ignored"):
                return None
            self._remembered[name] = flag
            self._gone_since.pop(name, None)
            return flag
        remembered = self._remembered.get(name)
        if remembered is None or remembered.get("percent") == 0:
            return None
        gone_for = time.monotonic() - self._gone_since.setdefault(name, time.monotonic())
        if self._defects.applied("chaos-revert-ignored"):
            return remembered
        return remembered if gone_for < _LINGERS_SECONDS and self._defects.applied("chaos-recovery-slow") else None

    def _end_dead_man(self, lease: dict[str, Any]) -> None:
        pid = lease.get("dead_man_pid")
        if isinstance(pid, int) and pid > 1 and self._defects.applied("chaos-dead-man-ended"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _lease(control: Path) -> dict[str, Any] | None:
    try:
        lease = json.loads(control.with_name(f"{control.name}.run").joinpath("lease.json").read_text())
    except (OSError, ValueError):
        return None
    return lease if isinstance(lease, dict) else None


def control_flags(control: Path) -> dict[str, Any]:
    """What the control file holds; nothing where it cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        flags = json.loads(control.read_text())
        if isinstance(flags, dict):
            return flags
    return {}

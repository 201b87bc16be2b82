# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease: who may inject faults on this target, which ones are in force, and until when.

Deadlines are held twice: as a time of day, which the explainer understands, and on the clock that counts from boot and that nobody sets.
Whichever comes first counts.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from .. import strict_json
from ..faults import CheckError
from ..rfc3339 import parse_utc
from .control_file import storage_fault
from .run_directory import RunDirectory

SCHEMA = "chaos-lease-1"


@dataclass(frozen=True)
class Clock:
    """A moment: ``since_boot`` in seconds, which goes on while the machine sleeps, and ``now`` as UTC."""

    since_boot: float
    now: datetime
    boot: str

    @classmethod
    def read(cls) -> Clock:
        """This moment."""
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            boot = ""
        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return cls(time.clock_gettime(clock), datetime.now(timezone.utc), boot)


@dataclass(frozen=True)
class Grant:
    """A fault in force: its flag as the control file has it, and its end by both clocks."""

    flag: Mapping[str, Any]
    until_boot: float

    @property
    def expires_at(self) -> datetime:
        """Its end as the explainer sees it."""
        return parse_utc(self.flag["expires_at"])

    def left(self, clock: Clock) -> float:
        """Seconds until its end."""
        return min(self.until_boot - clock.since_boot, (self.expires_at - clock.now).total_seconds())


@dataclass(frozen=True)
class Lease:
    """A lease with its faults by name.

    ``before`` is the text of the control file when the lease was taken, None where there was no file. ``renew_by``, on the clock since
    boot, is infinite for a lease that only its faults end.
    """

    id: str
    holder: str
    environment: str
    boot: str
    before: str | None
    grants: Mapping[str, Grant] = field(default_factory=dict)
    renew_by: float = math.inf
    dead_man_pid: int = 0

    def due(self, clock: Clock) -> tuple[str, ...]:
        """The faults whose time is over; all of them where the holder fell silent or the machine was booted since."""
        if self.boot != clock.boot or clock.since_boot >= self.renew_by:
            return tuple(self.grants)
        return tuple(name for name, grant in self.grants.items() if grant.left(clock) <= 0)

    def left(self, clock: Clock) -> float:
        """Seconds until something is due."""
        return min([self.renew_by - clock.since_boot, *(grant.left(clock) for grant in self.grants.values())], default=0.0)

    def granting(self, name: str, flag: Mapping[str, Any], ttl: float, clock: Clock) -> Lease:
        """With a fault for ``ttl`` seconds from now."""
        expires_at = (clock.now + timedelta(seconds=ttl)).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return replace(self, grants={**self.grants, name: Grant({**flag, "expires_at": expires_at}, clock.since_boot + ttl)})

    def without(self, names: tuple[str, ...]) -> Lease:
        """With these faults gone."""
        return replace(self, grants={name: grant for name, grant in self.grants.items() if name not in names})

    def renewed(self, within: float | None, clock: Clock) -> Lease:
        """Good for so many more seconds, where they are limited."""
        return replace(self, renew_by=clock.since_boot + within if within else math.inf)


def read_lease(directory: RunDirectory) -> Lease | None:
    """The lease that is held, if one is. Raises CheckError where there is one that cannot be read."""
    try:
        document = strict_json.loads(directory.lease.read_bytes())
        if document.pop("schema") != SCHEMA:
            raise ValueError(f"it is not of schema {SCHEMA}")
        grants = {name: Grant(**grant) for name, grant in document.pop("grants").items()}
        renew_by = document.pop("renew_by")
        lease = Lease(**document, grants=grants, renew_by=math.inf if renew_by is None else float(renew_by))
        for grant in grants.values():
            grant.left(Clock.read())
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise storage_fault("lease", directory.lease, problem) from None
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        said = f"lease {directory.lease} cannot be read: {problem}"
        raise CheckError(
            "chaos-lease-unreadable", said, "Take all faults back with state absent and no fault, which also removes it."
        ) from None
    return lease


def write_lease(directory: RunDirectory, lease: Lease) -> None:
    """Keep the lease. Raises CheckError."""
    document = {"schema": SCHEMA, **asdict(lease), "renew_by": None if math.isinf(lease.renew_by) else lease.renew_by}
    directory.write(directory.lease, json.dumps(document, indent=1))


def drop_lease(directory: RunDirectory) -> None:
    """Give the lease up. Raises CheckError."""
    try:
        directory.lease.unlink()
    except FileNotFoundError:
        return
    except OSError as problem:
        raise storage_fault("lease", directory.lease, problem) from None

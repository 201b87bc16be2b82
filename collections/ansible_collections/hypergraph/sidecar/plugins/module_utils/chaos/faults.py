# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults there are, as data: what each is called in the control file, its parameters, and their ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..faults import CheckError


@dataclass(frozen=True)
class Parameter:
    """A number from ``minimum`` to ``maximum``, or one of ``choices``. Without a default it has to be given."""

    name: str
    minimum: float = 0.0
    maximum: float = 0.0
    choices: tuple[str, ...] = ()
    default: Any = None

    @property
    def expected(self) -> str:
        """The range, for people."""
        return " or ".join(self.choices) if self.choices else f"a number from {self.minimum:g} to {self.maximum:g}"

    def takes(self, value: Any) -> bool:
        """Whether the value is in range."""
        if self.choices:
            return value in self.choices
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and math.isfinite(value) and self.minimum <= value <= self.maximum


@dataclass(frozen=True)
class Fault:
    """A fault by its name in the control file."""

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]


_PERCENT = Parameter("percent", 0.0, 100.0)

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            "slow-sae",
            "feature extraction is delayed, by up to jitter_ms",
            (_PERCENT, Parameter("jitter_ms", 0.0, 600_000.0, default=1000.0)),
        ),
        Fault("drop-s3", "writes of graphs are lost", (_PERCENT,)),
        Fault("fail-attribution", "attribution fails", (_PERCENT, Parameter("mode", choices=("fallback", "fail"), default="fail"))),
        Fault(
            "rate-limit-spike",
            "the ladder pretends pressure",
            (Parameter("severity", choices=("soft", "hard"), default="soft"),),
        ),
    )
}
PARAMETERS = tuple(dict.fromkeys(parameter.name for fault in FAULTS.values() for parameter in fault.parameters))


def flag_of(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The flag for the control file, without its expiry. ``given`` are parameters by name; None is not given.

    Raises CheckError for an unknown fault, a parameter that is missing, out of range, or not one of the fault.
    """
    fault = FAULTS.get(name)
    if fault is None:
        raise CheckError("bad-fault", f"fault {name!r}: expected one of {', '.join(FAULTS)}", "Name one of them.")
    known = {parameter.name for parameter in fault.parameters}
    for other in (key for key, value in given.items() if value is not None and key not in known):
        raise CheckError("bad-fault", f"{name} has no parameter {other}, expected {', '.join(sorted(known))}", f"Leave {other} out.")
    flag: dict[str, Any] = {}
    for parameter in fault.parameters:
        value = given.get(parameter.name)
        value = parameter.default if value is None else value
        if value is None or not parameter.takes(value):
            said = "is missing" if value is None else f"is {value!r}"
            raise CheckError(
                "bad-fault", f"{name}: {parameter.name} {said}, expected {parameter.expected}", f"Give {parameter.name} within its range."
            )
        flag[parameter.name] = value
    return flag

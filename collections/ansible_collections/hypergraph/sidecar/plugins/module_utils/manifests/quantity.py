# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities, such as ``500m`` and ``1Gi``, as exact numbers."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

# Grammar of k8s.io/apimachinery/pkg/api/resource: a sign, digits with at most one point, and one suffix or exponent. Bounded in length,
# so that a quantity made to exhaust memory is none; no resource is counted in forty digits.
_FORM = r"([+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40}))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]{1,2}))?"
_QUANTITY = re.compile(_FORM)
# For schemas: what they take is what is counted here. A dollar sign would take a line break behind it too.
PATTERN = rf"^{_FORM}\Z"
_UNITS = {
    **{unit: Decimal(10) ** power for power, unit in zip(range(-9, 0, 3), "num")},
    **{unit: Decimal(10) ** power for power, unit in zip(range(3, 21, 3), "kMGTPE")},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
}


def quantity(value: Any) -> Decimal | None:
    """The number a quantity stands for: cores, bytes or devices. None for what is no quantity, which schemas report.

    Text and numbers are taken as the Kubernetes API takes them: ``"500m"`` is 0.5, ``2`` is 2, ``"1e3"`` is 1000, ``"1E"`` is 10^18.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    found = _QUANTITY.fullmatch(str(value))
    if not found:
        return None
    number, unit, exponent = found.groups()
    scale = _UNITS[unit] if unit else Decimal(10) ** int(exponent or 0)
    return Decimal(number) * scale


def shown(number: Decimal, resource: str = "") -> str:
    """The number as one would write it for the resource: memory and storage in binary units where that is shorter, the rest plainly."""
    if resource.endswith(("memory", "storage")) and number >= 1024 and number == number.to_integral_value():
        for unit in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"):
            count = number / _UNITS[unit]
            if count >= 1 and (count == round(count, 1) or unit == "Ki"):
                return f"{_plain(round(count, 1))}{unit}"
    return _plain(number)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"

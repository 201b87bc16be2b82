# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What YAML's plain scalars are to Kubernetes: sigs.k8s.io/yaml resolves them as go-yaml's version 2 does (resolve.go), and makes JSON.

PyYAML resolves others: to it ``y`` and ``0o644`` are text, and ``1:30`` is a number in base 60.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

MERGE = "tag:yaml.org,2002:merge"
# The tag of what has none and no quotes.
PLAIN = "plain"
_WORDS: dict[str, Any] = {
    **{form: True for word in ("y", "yes", "true", "on") for form in (word, word.capitalize(), word.upper())},
    **{form: False for word in ("n", "no", "false", "off") for form in (word, word.capitalize(), word.upper())},
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
# Numbers that JSON has none of, so that whoever reads them refuses the whole document.
_NO_JSON = re.compile(r"[+-]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# What tags make of scalars, in quotes too. A whole float is an integer in JSON.
_TAGGED: dict[str, tuple[type, ...]] = {
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (int, float),
    "tag:yaml.org,2002:null": (type(None),),
}
# strconv.ParseInt with base 0, and of more digits than 64 bits take it makes floats.
_INTEGER = re.compile(r"([+-]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]{0,19}))")
_BASES = {"x": 16, "b": 2, "o": 8, "d": 10}
_FLOAT = re.compile(r"[+-]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][+-]?[0-9]+)?")


def typed(tag: str, written: str) -> Any:
    """The value of a scalar. Raises ValueError for one that JSON has not, and one that is not what its tag says."""
    if tag == PLAIN:
        return _resolved(written)
    if tag not in _TAGGED:
        return written
    value = _resolved(written)
    if type(value) not in _TAGGED[tag]:
        raise ValueError(f"{written[:40]!r} is no {tag.rpartition(':')[2]}")
    return value


@cache
def loader() -> Any:
    """A PyYAML loader that leaves to ``typed`` what a plain scalar is."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            if kind is yaml.ScalarNode and implicit[0]:
                return MERGE if value == "<<" else PLAIN
            return super().resolve(kind, value, implicit)

    return Loader


def _resolved(written: str) -> Any:
    if written in _WORDS:
        return _WORDS[written]
    if written[0] not in "+-.0123456789":
        return written
    if _NO_JSON.fullmatch(written):
        raise ValueError(f"{written} is no number that JSON has")
    plain = written.replace("_", "")
    integer = _integer(plain)
    if integer is not None:
        return integer
    number = float(plain) if _FLOAT.fullmatch(plain) else math.inf
    if math.isinf(number):
        return written
    # Go writes whole ones below 1e21 to JSON without exponent.
    return int(number) if abs(number) < 1e21 and number.is_integer() else number


def _integer(plain: str) -> int | None:
    found = _INTEGER.fullmatch(plain)
    if not found or not found.lastgroup:
        return None
    number = int(found[1] + found[found.lastgroup], _BASES[found.lastgroup])
    return number if -(2**63) <= number < (2**63 if found[1] else 2**64) else None

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What expressions of a template may be, as far as values are followed through them: places in the values instead of values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Union

from .template_syntax import Text

# A key that is not known: any of a mapping's, any position of a list.
ANY = "*"


@dataclass(frozen=True)
class At:
    """A place in the values. It is ``guarded`` where the template says what to do if nothing is there."""

    path: tuple[str, ...] = ()
    guarded: bool = False


@dataclass(frozen=True)
class Root:
    """What a template of a file is given: Values, Release, Chart and so on."""


@dataclass(frozen=True)
class Dictionary:
    """What ``dict`` makes."""

    items: tuple[tuple[str, Possible], ...]


@dataclass(frozen=True)
class Listing:
    """What ``list`` makes."""

    items: tuple[Possible, ...]


Atom = Union[At, Root, Dictionary, Listing, Text]
# What an expression may be, of what we follow; empty where it is nothing of it.
Possible = tuple[Atom, ...]


def call(name: str, arguments: list[Possible]) -> Possible | None:
    """What a function gives that only hands on parts of its arguments; None for any other."""
    if name in _PASSING:
        return joined(*arguments)
    if name in GUARDING:
        return guarded(joined(*arguments))
    function = _FUNCTIONS.get(name)
    return function(arguments) if function and arguments else None


def below(found: Possible, name: str) -> Possible:
    """What a field, a key or a position of it may be."""
    parts: Possible = ()
    for one in found:
        if isinstance(one, Root):
            parts += (At(),) if name == "Values" else ()
        elif isinstance(one, At):
            parts += (one if name == "AsMap" else replace(one, path=(*one.path, name)),)
        elif isinstance(one, Dictionary):
            parts += tuple(atom for key, value in one.items if name in (key, ANY) for atom in value)
        elif isinstance(one, Listing):
            parts += joined(*one.items)
    return joined(parts)


def elements(found: Possible) -> Possible:
    """What range gives, one after the other."""
    return below(found, ANY)


def keys(found: Possible) -> Possible:
    """The keys that range gives, as far as they are known."""
    return tuple(Text(key) for one in found if isinstance(one, Dictionary) for key, _value in one.items)


def text(key: Possible) -> str:
    """The text, if it is a single known one, else ANY."""
    return key[0].value if len(key) == 1 and isinstance(key[0], Text) else ANY


def joined(*several: Possible) -> Possible:
    """Any of several."""
    return tuple(dict.fromkeys(atom for one in several for atom in one))


def guarded(found: Possible) -> Possible:
    """The same, used where the template says what to do if nothing is there."""
    return tuple(replace(one, guarded=True) if isinstance(one, At) else one for one in found)


def _dict(arguments: list[Possible]) -> Possible:
    pairs = zip(arguments[::2], arguments[1::2])
    return (Dictionary(tuple((key.value, value) for names, value in pairs for key in names if isinstance(key, Text))),)


def _list(arguments: list[Possible]) -> Possible:
    return (Listing(tuple(arguments)),)


def _index(arguments: list[Possible]) -> Possible:
    found = arguments[0]
    for key in arguments[1:]:
        found = below(found, text(key))
    return found


def _get(arguments: list[Possible]) -> Possible:
    return guarded(_index(arguments))


def _dig(arguments: list[Possible]) -> Possible:
    """``dig "a" "b" default dictionary``."""
    *path, default, found = arguments if len(arguments) > 1 else ((), *arguments)
    return guarded(joined(_index([found, *path]), default))


def _first(arguments: list[Possible]) -> Possible:
    return arguments[0]


# The functions are those of https://helm.sh/docs/chart_template_guide/function_list/.
_FUNCTIONS: Mapping[str, Callable[[list[Possible]], Possible]] = {
    "dict": _dict,
    "list": _list,
    "tuple": _list,
    "index": _index,
    "get": _get,
    "dig": _dig,
    "mustDig": _dig,
    "pick": _first,
    "omit": _first,
}
# Functions whose result may be any of their arguments, or of these.
_PASSING = frozenset(
    f"{must}{name[:1].upper() if must else name[:1]}{name[1:]}"
    for must in ("", "must")
    for name in (
        *("append", "prepend", "concat", "first", "last", "rest", "initial", "uniq", "compact", "reverse", "sortAlpha"),
        *("merge", "mergeOverwrite", "deepCopy"),
    )
)
# Functions that say what to do where an argument is empty.
GUARDING = frozenset({"default", "coalesce", "and", "or", "required"})

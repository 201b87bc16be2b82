# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where two documents differ in meaning: the order of members and of sets, and 1 against 1.0, make no difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .places import join
from .shapes import canonical

# Lists that JSON Schema and OpenAPI read as sets.
_SETS = ("enum", "required", "tags", "type")


def differences(one: Any, other: Any, names: tuple[str, str], ignored: Iterable[str] = (), pointer: str = "#") -> Iterator[str]:
    """Each place where the documents differ, as its JSON pointer and what each says there.

    ``names`` are what the two are called; ``ignored`` are pointers of places that may differ, with everything below them.
    """
    if canonical(one) == canonical(other) or pointer.lstrip("#") in ignored:
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for name in (*one, *(name for name in other if name not in one)):
            place = join(pointer, name)
            if name in one and name in other:
                if not (name in _SETS and _same_set(one[name], other[name])):
                    yield from differences(one[name], other[name], names, ignored, place)
            elif place.lstrip("#") not in ignored:
                yield f"{place} only in the {names[0] if name in one else names[1]}"
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other)):
            yield from differences(left, right, names, ignored, join(pointer, index))
    else:
        yield f"{pointer} is {_shown(one)} in the {names[0]}, {_shown(other)} in the {names[1]}"


def _same_set(one: Any, other: Any) -> bool:
    return isinstance(one, list) and isinstance(other, list) and sorted(map(canonical, one)) == sorted(map(canonical, other))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object of {len(value)} members"
    if isinstance(value, list):
        return f"a list of {len(value)} items"
    text = canonical(value)
    return text if len(text) <= 60 else f"{text[:60]}…"

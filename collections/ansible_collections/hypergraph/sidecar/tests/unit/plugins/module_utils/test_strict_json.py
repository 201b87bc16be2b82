# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict JSON: what RFC 8259 does not know is refused in one line."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.strict_json import loads
from ansible_collections.hypergraph.sidecar.plugins.module_utils.time_limit import interrupted_after


@pytest.mark.parametrize(
    ("document", "value"),
    [(b'{"a": [1, 2.5, null, true, "\\u00e9"]}', {"a": [1, 2.5, None, True, "é"]}), ('"x"', "x"), (b" 1 ", 1), ("[{}, {}]", [{}, {}])],
)
def test_json_is_read(document: Any, value: Any) -> None:
    assert loads(document) == value


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "Expecting value"),
        (b'{"a": 1', "Expecting"),
        (b"{} {}", "Extra data"),
        (b"NaN", "NaN is not JSON"),
        (b'{"weight": -Infinity}', "-Infinity is not JSON"),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark"),
        ("\ufeff{}", "byte order mark"),
        (b'{"a": "\xff"}', "utf-8"),
        ('{"a": 1}'.encode("utf-16"), "utf-8"),
        (b'{"a": 1, "b": 2, "a": 3}', "key 'a' occurs twice in one object"),
        (b'[{"x": {"y": 1, "y": 1}}]', "key 'y' occurs twice"),
        (b"[" * 200_000, "it is nested too deeply"),
        (b'{"a":' * 200_000, "it is nested too deeply"),
        (b"[01]", "Expecting"),
        (b"['a']", "Expecting value"),
        (b'"a\nb"', "control character"),
    ],
)
def test_what_is_not_json_is_refused_with_a_reason(document: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as raised:
        loads(document)
    assert "\n" not in str(raised.value)


def test_a_key_that_repeats_at_the_end_of_many_is_found_at_once() -> None:
    """To compare each with all would take an hour."""
    members = ",".join(f'"key{number}": 0' for number in range(200_000))
    with interrupted_after(60, lambda: AssertionError("slow")), pytest.raises(ValueError, match="key 'last' occurs twice"):
        loads(f'{{{members}, "last": 1, "last": 2}}')

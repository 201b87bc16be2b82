# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents are read as JSON values, and what would hang or mislead a reader is refused with the line it stands on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import document, yaml_json


@pytest.fixture(params=["libyaml", "pure Python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML, of which the faster one is not everywhere."""
    if request.param == "pure Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML was built without libyaml here")


def bomb(levels: int = 12) -> str:
    """Nine aliases a level, each of the level before: 9 to the power of the levels when unfolded."""
    lines = ['a0: &a0 ["x", "x", "x", "x", "x", "x", "x", "x", "x"]']
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, levels)]
    return "\n".join(lines)


def merge_bomb(levels: int = 12) -> str:
    lines = ["a0: &a0 {k: [x, x, x, x, x, x, x, x, x]}"]
    lines += [
        f"a{level}: &a{level} {{<<: *a{level - 1}, {', '.join(f'm{n}: *a{level - 1}' for n in range(9))}}}" for level in range(1, levels)
    ]
    return "\n".join(lines)


def deep_by_alias(levels: int = 150) -> str:
    return "a0: &a0 [x]\n" + "\n".join(f"a{level}: &a{level} [*a{level - 1}]" for level in range(1, levels))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: [on, off, yes, n]", {"a": 1, "b": ["on", "off", "yes", "n"]}),
        ("a: 2026-01-01\nb: 010\nc: 0o17\nd: 0x1F\ne: 1_000", {"a": "2026-01-01", "b": 10, "c": 15, "d": 31, "e": "1_000"}),
        ("a: ~\nb:\nc: null\nd: ''", {"a": None, "b": None, "c": None, "d": ""}),
        ("a: [1.5, -.5, 1e3, +7, 1., 12:30:45]", {"a": [1.5, -0.5, 1000.0, 7, 1.0, "12:30:45"]}),
        ("a: [true, False, TRUE, 'true', !!str true]", {"a": [True, False, True, "true", "true"]}),
        ("a: [!!int '7', !!float 1, !!null '', !!bool 'true', ! 7]", {"a": [7, 1, None, True, "7"]}),
        ("200: ok\ntrue: yes\n1.0: x", {"200": "ok", "true": "yes", "1.0": "x"}),
        (
            "a: &x {k: 1}\nb: *x\nc: {<<: *x, k: 2}\nd: {<<: [*x, {k: 3, l: 4}]}",
            {"a": {"k": 1}, "b": {"k": 1}, "c": {"k": 2}, "d": {"k": 1, "l": 4}},
        ),
        ("&x a: 1\nb: *x", {"a": 1, "b": "a"}),
        ("a: !!map {b: !!seq [1]}", {"a": {"b": [1]}}),
        ("a: |\n  two\n  lines\nb: >-\n  one\n  line", {"a": "two\nlines\n", "b": "one line"}),
        ('"<<": 1', {"<<": 1}),
        ("just text", "just text"),
        ("", None),
    ],
)
def test_yaml_is_read_as_json_values(text: str, expected: Any) -> None:
    value = yaml_json.loads(text)
    assert value == expected
    assert json.dumps(value) == json.dumps(expected)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\nb:\n\tc: 2", r"line 3, column 1: .*indented with a tab"),
        ("a: 1\nb: 2\na: 3", r"line 3: key 'a' occurs twice"),
        ("x:\n  200: a\n  '200': b", r"line 3: key '200' occurs twice"),
        ("a: b: c", r"line 1, column 5: "),
        ("a: 1\nb: [1,\n  2\n", r"that begins in line 2"),
        ("a: 'open\n\n", r"that begins in line 1"),
        ("a: \x01", r"control characters|special characters"),
        ("a: 1\n---\nb: 2", r"line 2: a second document begins"),
        ("a: &a [*a]", r"line 1: alias \*a refers to the value it is part of"),
        ("a: *nowhere", r"line 1: alias \*nowhere has no anchor before it"),
        ("? [a]\n: 1", r"line 1: a key must be text, found an object or list"),
        ("a: &a 1\n*a : 2", r"line 2: a key must be text, found an alias"),
        ("a: !!python/object/apply:os.system ['true']", r"line 1: tag .*python/object/apply:os.system has no meaning in JSON"),
        ("a: !!timestamp 2026-01-01", r"line 1: tag .*timestamp has no meaning"),
        ("a: !!set {b}", r"line 1: tag .*set has no meaning"),
        ("a: !!int seven", r"line 1: 'seven' does not fit its tag"),
        ("a: .nan", r"line 1: JSON has no number like .nan"),
        ("a: -.inf", r"line 1: JSON has no number like -.inf"),
        ("a: 1e999", r"line 1: JSON has no number like 1e999"),
        ("<<: 3", r"line 1: << takes one object"),
        ("a: &a {}\nb: {<<: [*a, 1]}", r"line 2: << takes one object"),
        ("b: {<<: {a: 1}, <<: {b: 1}}", r"line 1: << takes one object or one list of objects, once"),
        ("[" * 500, r"nested deeper than 100 levels"),
        (deep_by_alias(), r"line 100: nested deeper than 100 levels, counting each alias in full"),
        (bomb(), r"line 6: more than 200000 values, counting each alias in full"),
        (merge_bomb(), r"more than 200000 values, counting each alias in full"),
    ],
)
def test_what_yaml_must_not_say_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as problem:
        yaml_json.loads(text)
    assert "\n" not in str(problem.value)


def test_just_below_the_bounds_is_read() -> None:
    assert yaml_json.loads("[" * 99 + "]" * 99)
    assert len(yaml_json.loads(bomb(5))["a4"]) == 9


def test_every_value_counts_once_and_each_alias_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_json, "MAX_VALUES", 6)
    for within in ("a: [1, 2, 3, 4]", "a: &a [1]\nb: *a\nc: 1"):
        assert yaml_json.loads(within)
        assert document.parse(json.dumps(yaml_json.loads(within)).encode(), is_json=True)
    for beyond in ("a: [1, 2, 3, 4, 5]", "a: &a [1]\nb: *a\nc: *a"):
        with pytest.raises(ValueError, match="more than 6 values"):
            yaml_json.loads(beyond)


def test_a_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    yaml = tmp_path / "api.yaml"
    yaml.write_bytes(b"\xef\xbb\xbfopenapi: 3.1.0\n")
    assert document.parse(document.read(str(yaml))) == {"openapi": "3.1.0"}
    # YAML 1.1 knows neither this escape nor surrogate pairs.
    assert document.parse(rb'{"openapi": "3.1.0", "a": "\/ \ud83d\ude00"}') == {"openapi": "3.1.0", "a": "/ 😀"}
    assert document.parse(b"{openapi: 3.1.0}") == {"openapi": "3.1.0"}
    assert document.parse(b'{"a": 1}', is_json=True) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "is_json", "why"),
    [
        (b"- a\n- b", False, "it is a list, expected an object"),
        (b"", False, "it is empty, expected an object"),
        (b"text", False, "it is a str, expected an object"),
        (b"a: \xff", False, "it is not UTF-8: byte 3 is 0xff"),
        (b"a: 1", True, "Expecting value"),
        (b'{"a": 1, "a": 2}', True, "key 'a' occurs twice"),
        (b'{"a": 1, "a": 2}', False, "line 1: key 'a' occurs twice"),
        (b'{"a": NaN}', True, "NaN is not JSON"),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", True, "nested deeper than 100 levels"),
        (b'{"a": ' + b"[" * 100_000, True, "nested too deeply"),
        (b'{"a": [' + b"0," * 200_000 + b"0]}", True, "more than 200000 values"),
        (b'{"a": [' + b"0," * 200_000 + b"0]}", False, "more than 200000 values"),
    ],
)
def test_what_is_no_document_is_refused(content: bytes, is_json: bool, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        document.parse(content, is_json=is_json)


def test_the_bounds_themselves_are_within(tmp_path: Path) -> None:
    file = tmp_path / "full.yaml"
    file.write_bytes(b"#" * document.MAX_BYTES)
    assert len(document.read(str(file))) == document.MAX_BYTES
    # The object, the list and its items.
    full = b'{"a": [' + b"0," * (yaml_json.MAX_VALUES - 3) + b"0]}"
    assert len(document.parse(full, is_json=True)["a"]) == yaml_json.MAX_VALUES - 2
    deep = b'{"a": ' + b"[" * (yaml_json.MAX_DEPTH - 1) + b"]" * (yaml_json.MAX_DEPTH - 1) + b"}"
    assert document.parse(deep, is_json=True) == document.parse(deep)
    with pytest.raises(ValueError, match="nested deeper"):
        document.parse(deep.replace(b"[]", b"[[]]"), is_json=True)


def test_only_regular_files_within_bounds_are_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        document.read(str(tmp_path / "absent"))
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (document.MAX_BYTES + 1))
    with pytest.raises(ValueError, match="larger than 2097152 bytes"):
        document.read(str(large))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for irregular in (pipe, tmp_path):
        with pytest.raises(ValueError, match="not a regular file"):
            document.read(str(irregular))

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as Kubernetes reads it, with lines, and within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.documents import parse_documents, read_documents
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Place

DEPLOYMENT = """\
# A comment.
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers:
        - name: web
          image: web:1
"""


def value(text: str) -> Any:
    (one,) = parse_documents(f"value: {text}\n", "f.yaml")
    return one.body["value"]


def test_an_object_knows_where_its_parts_are() -> None:
    (one,) = parse_documents(DEPLOYMENT, "web.yaml")
    assert (str(one), one.api_version, one.group, one.namespace) == ("Deployment/web", "apps/v1", "apps", "shop")
    assert one.place == Place("web.yaml", 2)
    image = ("spec", "template", "spec", "containers", 0, "image")
    assert one.at(*image) == "web:1"
    assert str(one.place_of(image)) == "web.yaml:10"
    assert str(one.place_of((*image[:-1], "resources", "limits"))) == "web.yaml:9"
    assert one.at("spec", "template", 3, default="none") == "none"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("on", True),
        ("no", False),
        ("'no'", "no"),
        ("y", True),
        ("N", False),
        ("'y'", "y"),
        ("yEs", "yEs"),
        ("017", 15),
        ("0o644", 420),
        ("0O644", 420),
        ("-0b101", -5),
        ("0x1F", 31),
        ("08", 8),
        ("09.5", 9.5),
        ("+.5", 0.5),
        ("1_000", 1000),
        ("_1", "_1"),
        ("0o8", "0o8"),
        ("0xFFFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFFFF"),
        ("18446744073709551615", 18446744073709551615),
        ("99999999999999999999", 100000000000000000000),
        ("1e400", "1e400"),
        (".", "."),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("1e+06", 1000000),
        ("1.5e3", 1500),
        ("1e-3", 0.001),
        ("'1e3'", "1e3"),
        ("1e3a", "1e3a"),
        ("1.0e+3", 1000.0),
        ("~", None),
        ("{1: a, true: b}", {"1": "a", "true": "b"}),
        ("{y: a, 017: b, 1.50: c, 2026-01-01: d, 'n': e}", {"true": "a", "15": "b", "1.5": "c", "2026-01-01": "d", "n": "e"}),
        ("{<<: {a: 1, b: 2}, b: 3}", {"a": 1, "b": 3}),
        ("{<<: [{a: 1}, {a: 2}]}", {"a": 1}),
        ("!custom x", "x"),
        ("!!str y", "y"),
        ("!!str 1e3", "1e3"),
        ("!!bool 'on'", True),
        ("!!float 1", 1),
    ],
)
def test_values_are_typed_as_kubernetes_types_them(written: str, read: Any) -> None:
    """What is read is what sigs.k8s.io/yaml 1.6 makes of it."""
    found = value(written)
    assert found == read
    assert isinstance(found, bool) == isinstance(read, bool)


def test_anchors_are_unfolded() -> None:
    first, second = parse_documents("a: &x {k: [1]}\nb: *x\n---\nc: 1\n", "f.yaml")
    assert first.body == {"a": {"k": [1]}, "b": {"k": [1]}}
    assert second.place.line == 4


def test_empty_documents_are_dropped_and_lists_are_their_items() -> None:
    text = "---\n---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n  - {kind: A}\n  - kind: B\n    spec: 1\n---\n"
    first, second = parse_documents(text, "f.yaml")
    assert (first.kind, second.kind) == ("A", "B")
    assert second.place.line == 9
    assert second.place_of(("spec",)).line == 10


def test_of_what_is_rendered_only_the_file_is_known() -> None:
    (one,) = parse_documents("a: {b: 1}\n", "t.yaml", rendered=True)
    assert one.place_of(("a", "b")) == Place("t.yaml")
    assert one.repeated == ()


def test_of_what_is_rendered_the_last_of_a_key_counts_and_the_place_is_kept() -> None:
    text = "a: {b: 1, b: 2, c: [{d: 1, d: 1, d: 3}]}\non: 1\n'true': 2\n"
    (one,) = parse_documents(text, "t.yaml", rendered=True)
    assert one.body == {"a": {"b": 2, "c": [{"d": 3}]}, "true": 2}
    assert one.repeated == (("a", "b"), ("a", "c", 0, "d"), ("true",))
    items = "apiVersion: v1\nkind: List\nitems: [{kind: A}, {kind: B, kind: C}]\n"
    assert [(item.kind, item.repeated) for item in parse_documents(items, "t.yaml", rendered=True)] == [("A", ()), ("C", (("kind",),))]


def test_what_a_merge_is_overridden_by_is_no_key_twice() -> None:
    (one,) = parse_documents("a: &a {k: 1}\nb: {<<: *a, k: 2}\n", "t.yaml", rendered=True)
    assert (one.at("b"), one.repeated) == ({"k": 2}, ())


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2\n", "f.yaml:2: the key 'a' is there twice"),
        ("a:\n\tb: 1\n", "f.yaml:2: no YAML"),
        ("a: [1\n", "no YAML"),
        ("- 1\n", "f.yaml:1: a document is a list"),
        ("text\n", "f.yaml:1: a document is a scalar"),
        ("? [a]\n: 1\n", "f.yaml:1: a key is no text"),
        ("a: &a [*a]\n", "an alias refers to the value it is part of"),
        ("a: *b\n", "no YAML"),
        ("<<: 3\n", "<< merges something that is no mapping"),
        ("a: !!int x\n", "'x' is no int"),
        ("a: !!int 'y'\n", "'y' is no int"),
        ("a: .inf\n", ".inf is no number that JSON has"),
        ("~: 1\n", "f.yaml:1: a key is no text"),
        ("on: 1\ny: 2\n", "f.yaml:2: the key 'true' is there twice"),
        ("a: \x00\n", "no YAML"),
        (BOMB, "unfold to more values"),
    ],
)
def test_what_is_no_manifest_is_named_with_its_line(text: str, says: str) -> None:
    with pytest.raises(CheckError) as raised:
        parse_documents(text, "f.yaml")
    assert raised.value.reason_code == "manifest-invalid"
    assert says in raised.value.reason


def test_files_and_folders_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.yaml", "a.yml", "sub/c.yaml", "d.txt"):
        (tmp_path / name).write_text(f"kind: {Path(name).stem.upper()}\n")
    assert [one.kind for one in read_documents([tmp_path, tmp_path / "b.yaml"])] == ["A", "B", "C", "B"]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")
    (tmp_path / "empty").mkdir()
    for path, says in ((tmp_path / "none.yaml", "No such file"), (tmp_path / "latin.yaml", "no UTF-8"), (tmp_path / "empty", "holds no")):
        with pytest.raises(CheckError, match=says) as raised:
            read_documents([path])
        assert raised.value.reason_code == "manifest-unreadable"
        assert str(path) in raised.value.reason

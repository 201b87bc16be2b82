# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lossless move of meta into metadata."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.hif.adapter import to_public

# A busy machine is no finding.
STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x"]), lambda v: st.lists(v, max_size=3), max_leaves=5
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES)


@STEADY
@given(OBJECTS, OBJECTS)
def test_nothing_is_lost_or_the_move_is_refused(meta, metadata):
    document = {"incidences": [], "meta": meta, "metadata": metadata}
    before = copy.deepcopy(document)
    try:
        public = to_public(document)
    except ValueError:
        assert any(meta[name] != metadata[name] or type(meta[name]) is not type(metadata[name]) for name in meta.keys() & metadata.keys())
    else:
        assert "meta" not in public
        assert public["incidences"] == []
        assert all(public["metadata"][name] == value for part in (meta, metadata) for name, value in part.items())
        assert public["metadata"].keys() == meta.keys() | metadata.keys()
    assert document == before


def test_without_meta_the_document_is_public_already():
    assert to_public({"incidences": []}) == {"incidences": []}
    assert to_public({"incidences": [], "metadata": 3}) == {"incidences": [], "metadata": 3}


def test_meta_alone_becomes_metadata():
    assert to_public({"meta": {"version": "hif-1"}, "nodes": []}) == {"metadata": {"version": "hif-1"}, "nodes": []}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"meta": []}, "meta is no object"),
        ({"meta": {}, "metadata": "x"}, "metadata is no object"),
        ({"meta": {"a": 1}, "metadata": {"a": 2}}, "meta and metadata disagree about 'a'"),
        ({"meta": {"a": 1}, "metadata": {"a": True}}, "meta and metadata disagree about 'a'"),
    ],
)
def test_a_move_that_would_lose_something_is_refused(document, said):
    with pytest.raises(ValueError, match=said):
        to_public(document)


def test_values_too_deep_to_compare_count_as_different():
    def nested(depth):
        value = []
        for _level in range(depth):
            value = [value]
        return value

    with pytest.raises(ValueError, match="disagree"):
        to_public({"meta": {"a": nested(100_000)}, "metadata": {"a": nested(100_000)}})

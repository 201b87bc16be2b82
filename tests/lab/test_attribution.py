"""Attribution and the document it becomes: deterministic, sound, and valid by the collection's own rules."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils import strict_json
from ansible_collections.hypergraph.sidecar.plugins.module_utils.hif.adapter import to_public
from ansible_collections.hypergraph.sidecar.plugins.module_utils.hif.rules import Hypergraph, findings
from ansible_collections.hypergraph.sidecar.plugins.module_utils.hif.schema import hif_violations, profile_violations
from lab.defects import CATALOG, Defects
from lab.defects.faulty_explainer import FaultyGraphWriter
from lab.explainer.attribution import CONTEXT_SHARE, LAYERS, MAX_UNITS, attribute, extract
from lab.explainer.hif import About, GraphWriter
from lab.llm import compose
from tests.lab.client import PROMPT

ABOUT = About("tr_1", "alpha", "m", "sentence", "sae-gpt4-2m", "2026-01-01T00:00:00.000000Z")


def document(prompt: str, answer: str, granularity: str = "sentence", **how: Any) -> dict[str, Any]:
    written = GraphWriter().write(attribute(extract(prompt, answer, granularity), **how), ABOUT)
    parsed: dict[str, Any] = strict_json.loads(written)
    return parsed


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(["sentence", "token"]))
def test_any_text_becomes_a_sound_graph_the_same_each_time(prompt: str, answer: str, granularity: str) -> None:
    graph = document(prompt, answer, granularity)
    assert hif_violations(to_public(graph)) == []
    assert profile_violations(graph) == []
    assert [str(finding) for finding in findings(Hypergraph.read(graph)) if not finding.ok] == []
    assert document(prompt, answer, granularity) == graph


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(PROMPT.split()), max_size=40), st.lists(st.sampled_from(PROMPT.split()), max_size=40))
def test_weights_add_up(prompt: list[str], answer: list[str]) -> None:
    graph = document(" ".join(prompt), " ".join(answer), "token")
    assert math.fsum(edge["weight"] for edge in graph["edges"]) == pytest.approx(1, abs=1e-6)
    sides: dict[tuple[str, str], float] = defaultdict(float)
    for incidence in graph["incidences"]:
        sides[incidence["edge"], incidence["direction"]] += incidence["weight"]
    assert set(sides) == {(edge["edge"], side) for edge in graph["edges"] for side in ("head", "tail")}
    assert all(total == pytest.approx(1, abs=1e-6) for total in sides.values())
    assert math.fsum(node["weight"] for node in graph["nodes"]) == pytest.approx(2, abs=1e-6)


def test_a_shared_word_joins_the_sentences_that_hold_it() -> None:
    graph = document("Bees make honey. Cows eat grass.", "Honey comes from bees.")
    members = [(i["node"], i["direction"]) for i in graph["incidences"] if i["edge"] == "word:honey"]
    assert members == [("p0", "tail"), ("a0", "head")]
    assert not [edge for edge in graph["edges"] if edge["edge"] == "word:grass"]
    weights = {node["node"]: node["weight"] for node in graph["nodes"]}
    assert weights["p0"] > weights["p1"] > 0, "the sentence that shares words explains more; the context edge reaches the other"


def test_stems_and_pairs_are_features_of_their_own() -> None:
    edges = {edge["edge"] for edge in document("She was joining two graphs.", "Two graphs joined by joining.")["edges"]}
    assert {"stem:join", "pair:two graphs", "word:graphs"} <= edges
    assert "stem:graph" not in edges, "a stem of one word says nothing new"


def test_fewer_layers_and_features_make_a_smaller_graph() -> None:
    whole, small = document(PROMPT, PROMPT), document(PROMPT, PROMPT, layers=LAYERS[:1], topk=2)
    assert len([edge for edge in whole["edges"] if edge["attrs"]["layer"] == "pair"]) > 0
    assert [edge["attrs"]["layer"] for edge in small["edges"]] == ["context", "word", "word"]
    assert document(PROMPT, PROMPT, layers=())["edges"][0]["weight"] == 1.0
    assert whole["edges"][0]["weight"] == CONTEXT_SHARE


def test_granularity_is_what_nodes_are() -> None:
    assert {node["attrs"]["kind"] for node in document(PROMPT, PROMPT, "token")["nodes"]} == {"token"}
    assert [node["attrs"]["text"] for node in document("One. Two!", "Three?")["nodes"]] == ["One.", "Two!", "Three?"]


def test_endless_text_is_cut_and_said_to_be() -> None:
    graph = document("word " * 5000, "word", "token")
    assert graph["metadata"]["truncated"] is True
    assert len(graph["nodes"]) == MAX_UNITS["token"] + 1


def test_answer_is_made_of_the_prompt_and_the_same_each_time() -> None:
    assert compose(PROMPT) == compose(PROMPT)
    assert "hypergraph" in compose(PROMPT)
    assert compose("?!") != ""


@pytest.mark.parametrize("defect", [d.id for d in CATALOG.values() if d.id.startswith("hif-") or d.id == "benign-extra-attrs"])
def test_graph_defects_break_one_rule_and_benign_ones_none(defect: str, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    writer = FaultyGraphWriter(Defects(frozenset({defect}), "test", journal))
    about = About(**{**vars(ABOUT), "granularity": "token"})
    written = writer.write(attribute(extract(PROMPT, PROMPT, "token")), about)
    broken = set()
    try:
        strict_json.loads(written)
    except ValueError:
        broken.add("hif-not-strict-json")
    graph = json.loads(written)
    assert hif_violations(to_public(graph)) == []
    broken |= {finding.rule.reason_code for finding in findings(Hypergraph.read(graph)) if not finding.ok}
    expected = CATALOG[defect].reason_code
    assert expected in broken or (CATALOG[defect].benign and not broken)
    assert broken <= {expected, "hif-weight-not-finite"}
    assert json.loads(journal.read_text())["defect"] == defect

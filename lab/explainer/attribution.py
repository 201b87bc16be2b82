"""Attribution by shared vocabulary: an honest heuristic, not an interpretation of a network.

The exchange is cut into units (sentences, or tokens), those of the prompt and those of the answer. A *feature* is a piece of vocabulary
that occurs on both sides; it becomes a directed hyperedge from the prompt units that hold it (tail) to the answer units that hold it
(head). There are three layers of features: words, stems shared by several words, and pairs of neighbouring words. Stop words are no
features.

A feature's score is ``tf · idf``: its number of occurrences in the answer times ``1 + ln((1 + N) / (1 + df))`` over the N prompt units,
df of which hold it (the smoothed inverse document frequency of scikit-learn's TfidfTransformer). Of each layer the ``topk`` highest
scores stay. One further edge, ``context``, joins all prompt units to all answer units with a fixed share, for what no word explains.
Edge weights add up to 1. An incidence's weight is the unit's share of the feature's occurrences on its side, so they add up to 1 for
each side of an edge; a node's weight is the attribution that reaches it. The result depends on the input alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from lab.text import sentences, tokens

LAYERS = ("word", "stem", "pair")
TOPK = 16
CONTEXT_SHARE = 0.1
# Beyond it units are left out, and the graph says so.
MAX_UNITS = {"sentence": 400, "token": 1500}
_COMMONEST = (
    "a an and are as at be but by can do does for from has have he her his i if in into is it its may no not of on or our she "
    "so such than that the their them then there these they this those to was we were what which who will with you your"
)
_STOP_WORDS = frozenset(_COMMONEST.split())
_SUFFIXES = ("ations", "ation", "ingly", "edly", "ings", "ing", "ies", "ed", "es", "ly", "s")


@dataclass(frozen=True)
class Unit:
    """A node: a sentence or token (``kind``) of the ``prompt`` or the ``answer``. ``features`` counts what it holds, by layer and label."""

    id: str
    kind: str
    side: str
    position: int
    text: str
    features: Counter[tuple[str, str]] = field(repr=False)


@dataclass(frozen=True)
class Feature:
    """A hyperedge. ``tail`` and ``head`` map unit ids to incidence weights."""

    id: str
    layer: str
    label: str
    weight: float
    tail: dict[str, float]
    head: dict[str, float]


@dataclass(frozen=True)
class Attribution:
    """The features of an exchange, heaviest first within each layer, and the units they join. ``weights`` are the nodes'."""

    units: tuple[Unit, ...]
    features: tuple[Feature, ...]
    weights: dict[str, float]
    truncated: bool


@dataclass(frozen=True)
class Exchange:
    """An exchange cut into units."""

    prompt: tuple[Unit, ...]
    answer: tuple[Unit, ...]
    truncated: bool


def extract(prompt: str, answer: str, granularity: str) -> Exchange:
    """Cut an exchange into units and count what each holds. A side without words is one unit."""
    limit = MAX_UNITS[granularity]
    cut = {"prompt": prompt, "answer": answer}
    sides = {side: _units(side, text, granularity) for side, text in cut.items()}
    truncated = any(len(units) > limit for units in sides.values())
    return Exchange(tuple(sides["prompt"][:limit]), tuple(sides["answer"][:limit]), truncated)


def attribute(exchange: Exchange, layers: Iterable[str] = LAYERS, topk: int = TOPK) -> Attribution:
    """Join the units of an exchange by what they share. No layers leave the context edge alone."""
    scored = [scores for layer in layers for scores in _scored(exchange, layer)[:topk]]
    total = sum(score for _, _, score in scored)
    share = 1.0 - CONTEXT_SHARE if scored else 0.0
    features = [_context(exchange, 1.0 - share)]
    features += [_feature(exchange, layer, label, share * score / total) for layer, label, score in scored]
    weights = {unit.id: 0.0 for unit in (*exchange.prompt, *exchange.answer)}
    for feature in features:
        for side in (feature.tail, feature.head):
            for unit, part in side.items():
                weights[unit] += feature.weight * part
    rounded = {unit: round(weight, 9) for unit, weight in weights.items()}
    return Attribution((*exchange.prompt, *exchange.answer), tuple(features), rounded, exchange.truncated)


def _units(side: str, text: str, granularity: str) -> list[Unit]:
    pieces = sentences(text) if granularity == "sentence" else tokens(text)
    letter = side[0]
    if not pieces:
        return [Unit(f"{letter}0", granularity, side, 0, text.strip()[:80], Counter())]
    if granularity == "sentence":
        return [
            Unit(f"{letter}{i}", granularity, side, i, piece, _features([word.lower() for word in tokens(piece)]))
            for i, piece in enumerate(pieces)
        ]
    lowered = [piece.lower() for piece in pieces]
    units = []
    for i, piece in enumerate(pieces):
        held = _features([lowered[i]])
        for left, right in ((i - 1, i), (i, i + 1)):
            if left >= 0 and right < len(lowered):
                held += _pairs(lowered[left : right + 1])
        units.append(Unit(f"{letter}{i}", granularity, side, i, piece, held))
    return units


def _features(words: list[str]) -> Counter[tuple[str, str]]:
    telling = [word for word in words if word not in _STOP_WORDS and len(word) > 1]
    return Counter([("word", word) for word in telling] + [("stem", stem(word)) for word in telling]) + _pairs(words)


def _pairs(words: list[str]) -> Counter[tuple[str, str]]:
    return Counter(("pair", f"{one} {other}") for one, other in pairwise(words) if one not in _STOP_WORDS and other not in _STOP_WORDS)


def stem(word: str) -> str:
    """The word without its commonest English suffix, where at least four letters remain."""
    return next((word[: -len(suffix)] for suffix in _SUFFIXES if word.endswith(suffix) and len(word) - len(suffix) >= 4), word)


def _scored(exchange: Exchange, layer: str) -> list[tuple[str, str, float]]:
    """Features of a layer that occur on both sides, as (layer, label, score), best first."""
    df = Counter(key for unit in exchange.prompt for key in unit.features if key[0] == layer)
    tf: Counter[tuple[str, str]] = sum((unit.features for unit in exchange.answer), Counter())
    shared = [key for key in df if key in tf]
    if layer == "stem":
        # A stem that stands for one word only says nothing that the word does not.
        words: dict[str, set[str]] = {}
        for unit in (*exchange.prompt, *exchange.answer):
            for kind, label in unit.features:
                if kind == "word":
                    words.setdefault(stem(label), set()).add(label)
        shared = [key for key in shared if len(words[key[1]]) > 1]
    total = len(exchange.prompt)
    scores = [(layer, key[1], tf[key] * (1 + math.log((1 + total) / (1 + df[key])))) for key in shared]
    return sorted(scores, key=lambda scored: (-scored[2], scored[1]))


def _feature(exchange: Exchange, layer: str, label: str, weight: float) -> Feature:
    key = (layer, label)
    return Feature(f"{layer}:{label}", layer, label, round(weight, 9), _side(exchange.prompt, key), _side(exchange.answer, key))


def _side(units: tuple[Unit, ...], key: tuple[str, str]) -> dict[str, float]:
    held = {unit.id: unit.features[key] for unit in units if key in unit.features}
    total = sum(held.values())
    return {unit: round(count / total, 9) for unit, count in held.items()}


def _context(exchange: Exchange, weight: float) -> Feature:
    tail, head = ({unit.id: round(1 / len(units), 9) for unit in units} for units in (exchange.prompt, exchange.answer))
    return Feature("context", "context", "context", round(weight, 9), tail, head)

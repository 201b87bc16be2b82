# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The graph of a complete trace: strict JSON, valid HIF, a valid ``hif-1`` document about this trace, and a sound hypergraph."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import strict_json
from ..hif.adapter import to_public
from ..hif.rules import Hypergraph, findings
from ..hif.schema import hif_violations, profile_violations
from ..http_client import Answer
from ..verdict import Verdict

UNITS = ("sentence", "token")


@dataclass(frozen=True)
class Subject:
    """What a graph should be about. ``tenant_id`` is None where no token says whose; ``models`` are the names the chat's model goes by.

    ``granularity`` was asked for, ``stated_granularity`` is what the trace record says, ``degraded`` the backpressure it admits to.
    """

    label: str
    trace_id: str
    tenant_id: str | None
    models: frozenset[str]
    granularity: str
    stated_granularity: Any = None
    degraded: Any = None


def judge_graph(verdict: Verdict, subject: Subject, answer: Answer) -> Hypergraph | None:
    """Examine a served graph rule by rule. Returns it as far as it can be read, None where it is not JSON."""
    label = subject.label
    verdict.examine("graphs", 1)
    document, problem = _parsed(answer.body)
    strict = verdict.expect(
        f"{label}: the graph is strict JSON",
        not problem,
        expected="a JSON document by RFC 8259",
        observed=problem or "JSON",
        reason_code="hif-not-strict-json",
        action="Serialise without NaN, Infinity and repeated keys, in UTF-8.",
    )
    if not strict:
        return None
    graph = Hypergraph.read(document)
    hif_valid = _judge_public(verdict, label, document)
    profile_valid = _judge_profile(verdict, subject, document, graph)
    sound = _judge_rules(verdict, label, graph)
    verdict.record(
        **{
            f"graph_{label}": {
                "hif_valid": hif_valid,
                "hif1_profile_valid": hif_valid and profile_valid and sound,
                "network_type": graph.network_type,
                **graph.lengths,
                "kinds": dict(graph.kinds().most_common(5)),
                "sha256": hashlib.sha256(answer.body).hexdigest(),
            }
        }
    )
    for name, length in graph.lengths.items():
        verdict.measure(f"graph_{label}_{name}", length)
    return graph


def judge_granularities(verdict: Verdict, graphs: Mapping[str, tuple[Subject, Hypergraph]]) -> None:
    """Whether each graph is cut as fine as was asked: by what its nodes are called, else by how many there are of the same text."""
    unnamed = []
    for granularity, (subject, graph) in graphs.items():
        units = _units(graph)
        honoured = units in ([], [granularity]) and subject.stated_granularity in (None, granularity)
        if not honoured and subject.degraded:
            verdict.inconclusive(
                "granularity-degraded",
                f"{subject.label}: the trace says it was degraded ({subject.degraded}), so its granularity says nothing",
                "Run the check when the environment is not under backpressure.",
            )
            continue
        if not units:
            unnamed.append(granularity)
        if units or not honoured:
            verdict.expect(
                f"{subject.label}: the granularity asked for is honoured",
                honoured,
                expected=f"nodes of kind {granularity}, and a status that says so",
                observed={"nodes": {unit: graph.kinds()[unit] for unit in UNITS}, "status": subject.stated_granularity},
                reason_code="hif-granularity-mismatch",
                action="Pass x-explain-granularity on to the explainer, and lower it only under backpressure, saying so in degraded.",
            )
    if all(unit in unnamed for unit in UNITS):
        nodes = {unit: len(graphs[unit][1].nodes) for unit in UNITS}
        verdict.expect(
            "a graph of tokens has more nodes than one of sentences of the same text",
            nodes["token"] > nodes["sentence"],
            expected="more nodes for token",
            observed=nodes,
            reason_code="hif-granularity-mismatch",
            action="Pass x-explain-granularity on to the explainer.",
        )
    elif unnamed:
        verdict.skip(
            "not_applicable",
            f"how finely the graph of {' and '.join(unnamed)} is cut, since its nodes carry no attrs.kind and no other graph compares",
            "Ask for both granularities, or let the explainer name the kind of its nodes.",
        )


def _units(graph: Hypergraph) -> list[str]:
    kinds = graph.kinds()
    return [unit for unit in UNITS if kinds[unit]]


def _parsed(body: bytes) -> tuple[Any, str]:
    try:
        return strict_json.loads(body), ""
    except ValueError as problem:
        return None, str(problem)


def _judge_public(verdict: Verdict, label: str, document: Any) -> bool:
    """Validity under the public schema, after ``meta`` has moved; where it cannot move, of the rest."""
    public = document
    if isinstance(document, dict):
        try:
            public = to_public(document)
        except ValueError:
            public = {name: value for name, value in document.items() if name != "meta"}
    violations = hif_violations(public)
    return verdict.expect(
        f"{label}: the graph is valid HIF",
        not violations,
        expected="a document of the public HIF schema, once meta has moved into metadata",
        observed=violations or "valid",
        reason_code="hif-schema-invalid",
        action="Correct the fields named; further data belong into attrs, metadata or meta.",
    )


def _judge_profile(verdict: Verdict, subject: Subject, document: Any, graph: Hypergraph) -> bool:
    label = subject.label
    violations = profile_violations(document)
    try:
        to_public(document if isinstance(document, dict) else {})
    except ValueError as problem:
        violations.append(str(problem))
    valid = verdict.expect(
        f"{label}: the graph meets the hif-1 profile",
        not violations,
        expected="network-type, nodes, edges, incidences and a full meta",
        observed=violations or "met",
        reason_code="hif-profile-invalid",
        action="Write every member of meta that hif-1 names.",
    )
    meta = document.get("meta") if isinstance(document, dict) else None
    if not isinstance(meta, dict):
        return False
    version = meta.get("version")
    known = verdict.expect(
        f"{label}: meta.version names a hif profile",
        isinstance(version, str) and version.startswith("hif-"),
        expected="hif-…",
        observed=version,
        reason_code="hif-meta-version",
        action="Write the profile's version, hif-1.",
    )
    wrong = _disagreements(subject, meta, _units(graph))
    agrees = verdict.expect(
        f"{label}: meta is about this trace",
        not wrong,
        expected="the trace_id, tenant_id, model and granularity of the trace",
        observed=wrong or "it agrees",
        reason_code="hif-meta-mismatch",
        action="Fill meta from the trace record when the graph is written.",
    )
    return valid and known and agrees


def _disagreements(subject: Subject, meta: Mapping[str, Any], units: list[str]) -> dict[str, str]:
    """Members of meta that say something else than the trace does. What is missing is a matter of the profile."""
    accepted: dict[str, list[Any]] = {"trace_id": [subject.trace_id], "model": sorted(subject.models)}
    if subject.tenant_id is not None:
        accepted["tenant_id"] = [subject.tenant_id]
    if meta.get("granularity") in UNITS:
        # That a granularity was not honoured is a finding of its own, not made worse by a meta that admits it.
        accepted["granularity"] = [subject.granularity, subject.stated_granularity, *units]
    return {
        name: f"{meta[name]!r}, expected {' or '.join(dict.fromkeys(map(repr, values)))}"
        for name, values in accepted.items()
        if isinstance(meta.get(name), str) and meta[name] not in values
    }


def _judge_rules(verdict: Verdict, label: str, graph: Hypergraph) -> bool:
    found = findings(graph)
    for finding in found:
        verdict.expect(
            f"{label}: {finding.rule.name}",
            finding.ok,
            expected=finding.rule.expected,
            observed=str(finding),
            reason_code=finding.rule.reason_code,
            action=finding.rule.action,
        )
    return all(finding.ok for finding in found)

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding personal data and credentials: how much of it, and how often wrongly, on labelled texts and on a log that has none."""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.number_plans import iban_of
from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.patterns import RULES, find, readings
from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.scan import matches_in
from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.screening import suspects
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.labelled_texts import FOUND, NOT_FOUND

CASES = [*((text, frozenset(rules.split())) for rules, text in FOUND), *((text, frozenset()) for text in NOT_FOUND)]


def found_in(text: str) -> set[str]:
    return {match.rule for reading in readings(text) for match in find(reading)}


def realistic_lines(count: int) -> Iterator[bytes]:
    """Lines of an audit log full of digits: identifiers of all makes, times, addresses, measures."""
    draw = random.Random(20260131)
    start = datetime(2026, 1, 31, 12)
    for number in range(count):
        moment = start + timedelta(milliseconds=7 * number)
        epoch = 1769860800_000000000 + number * 7_000_000
        offset = draw.choice(["Z", "+00:00", "+02:00", "+10:00", "+1100"])
        yield json.dumps(
            {
                "ts": moment.isoformat(timespec="microseconds") + offset,
                "request_id": f"req_{draw.getrandbits(96):024x}",
                "trace_id": draw.choice([f"tr_{draw.getrandbits(128):032x}", str(uuid.UUID(int=draw.getrandbits(128), version=4))]),
                "traceparent": f"00-{draw.getrandbits(128):032x}-{draw.getrandbits(64):016x}-01",
                "span": f"{draw.getrandbits(64):016x}",
                "order_number": draw.randrange(10**9, 10**12),
                "snowflake_id": draw.randrange(10**18, 2 * 10**18),
                "tenant_id": "alpha",
                "subject": f"svc-{draw.randrange(10**6)}",
                "client": ".".join(str(draw.randrange(256)) for _part in range(4)),
                "peer": ":".join(f"{draw.getrandbits(16):x}" for _part in range(8)),
                "epoch": draw.choice([epoch, epoch // 10**3, epoch // 10**6, epoch // 10**9]),
                "seconds": draw.random() * 10,
                "scores": [draw.uniform(-100, 100) for _part in range(3)],
                "etag": base64.b64encode(draw.randbytes(24)).decode(),
                "agent": f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.{draw.randrange(100)} Chrome/{draw.randrange(90, 140)}.0.0.0",
                "snippet": f"Send [email] or call [phone]; version {draw.randrange(10)}.{draw.randrange(20)}.{draw.randrange(9999)}"
                f" of 2026-01-31, {draw.randrange(1000)} of {draw.randrange(10**6)} rows, {draw.random():.15f}",
            }
        ).encode()


def test_there_are_enough_cases_of_both_kinds() -> None:
    assert len(CASES) >= 250
    assert len({text for text, _rules in CASES}) == len(CASES)
    assert all(sum(rule in rules for _text, rules in CASES) >= 10 for rule in RULES)


@pytest.mark.parametrize("rule", RULES)
def test_recall_and_precision(rule: str) -> None:
    hits = [(text, rule in rules, rule in found_in(text)) for text, rules in CASES]
    missed = [text for text, wanted, found in hits if wanted and not found]
    false = [text for text, wanted, found in hits if found and not wanted]
    right = sum(wanted and found for _text, wanted, found in hits)
    assert right / (right + len(missed)) >= 0.97, missed
    assert right / (right + len(false)) >= 0.98, false


def test_a_log_without_personal_data_has_no_finds() -> None:
    finds = [(match.rule, match.text) for line in realistic_lines(2000) for _field, match in matches_in(line, RULES)]
    assert finds == []


@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_sieve_lets_through_what_the_patterns_find(ascii_only: bool) -> None:
    lines = [json.dumps({"ts": "2026-01-31T12:00:00Z", "snippet": text}, ensure_ascii=ascii_only).encode() for text, _rules in CASES]
    lines += [text.encode() for text, _rules in CASES]
    chunk = b"\n".join(lines) + b"\n"
    to_try = {chunk[start:end]: rules for start, end, rules in suspects(chunk)}
    for line in lines:
        found = {(match.rule, match.text) for _field, match in matches_in(line, RULES)}
        assert {(match.rule, match.text) for _field, match in matches_in(line, to_try.get(line, ()))} == found


def test_the_sieve_holds_most_lines_back() -> None:
    lines = list(realistic_lines(500))
    assert len(suspects(b"\n".join(lines) + b"\n")) < len(lines) * 0.75


def test_names_of_fields_are_context() -> None:
    def rules(document: object) -> set[tuple[str, str]]:
        return {(field, match.rule) for field, match in matches_in(json.dumps(document).encode(), RULES)}

    assert rules({"pan": "4111111111111111"}) == {("pan", "card")}
    assert rules({"span_id": "4111111111111111"}) == set()
    assert rules({"client": {"phone": "4915123456789"}}) == {("client", "phone")}
    assert rules({"client": {"request_id": "4915123456789"}}) == set()
    assert rules({"notes": [{"mail": None, "ok": True}, ["alice@example.org"]]}) == {("notes", "email")}
    assert rules({"not a name!": "alice@example.org"}) == {("a field", "email")}


def test_a_line_that_is_no_json_is_searched_as_it_is() -> None:
    assert [match.text for _field, match in matches_in(b"\xff torn {alice@example.org", RULES)] == ["alice@example.org"]
    assert [match.text for _field, match in matches_in(b"[" * 100_000 + b"alice@example.org", RULES)] == ["alice@example.org"]


def test_what_one_rule_claims_is_not_offered_to_the_next() -> None:
    valid = iban_of("DE", "4111111111111111" + "11")
    wrong = f"DE{(int(valid[2:4]) + 1) % 100:02d}{valid[4:]}"
    grouped = [" ".join(iban[at : at + 4] for at in range(0, len(iban), 4)) for iban in (valid, wrong)]
    assert [[match.rule for match in find(text)] for text in grouped] == [["iban"], ["card"]]


def test_a_match_does_not_show_its_text() -> None:
    assert "alice" not in repr(find("alice@example.org"))

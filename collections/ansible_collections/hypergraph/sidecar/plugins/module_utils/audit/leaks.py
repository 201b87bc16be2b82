# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaks, judged: no credential and no personal data in the audit log, no text of a prompt in any other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..verdict import Verdict
from .scan import Findings, Places


@dataclass(frozen=True)
class Kind:
    """A kind of thing that must not be in a log, as the check seeded it and in general; the reason code of finding it, and the remedy."""

    rule: str
    seeded: str
    unseeded: str
    reason_code: str
    action: str


_PURGE = "then purge the log and its copies."
KINDS = (
    Kind(
        "authorization",
        "token of the check",
        "Authorization value",
        "authorization-logged",
        f"Take headers out of what is logged, revoke the credential, {_PURGE}",
    ),
    Kind(
        "email",
        "e-mail address from a prompt of the check",
        "e-mail address",
        "email-unscrubbed",
        f"Scrub e-mail addresses on this path too, {_PURGE}",
    ),
    Kind(
        "card",
        "payment card number from a prompt of the check",
        "payment card number",
        "card-unscrubbed",
        f"Scrub Luhn-valid digits however they are grouped, {_PURGE}",
    ),
    Kind("iban", "IBAN from a prompt of the check", "IBAN", "iban-unscrubbed", f"Scrub IBANs however they are grouped, {_PURGE}"),
    Kind(
        "phone", "telephone number from a prompt of the check", "telephone number", "phone-unscrubbed", f"Scrub telephone numbers, {_PURGE}"
    ),
    Kind(
        "key",
        "API key or secret from a request of the check",
        "API key or other secret",
        "key-unscrubbed",
        f"Scrub keys before the snippet is written, revoke the key, {_PURGE}",
    ),
)


def judge_audit(verdict: Verdict, audit: Findings, seeded: Collection[str]) -> None:
    """The audit log: first what is known, of the rules ``seeded``, then what only looks like personal data or a credential."""
    for kind in KINDS:
        if kind.rule in seeded:
            name = f"no {kind.seeded} is in the audit log, in any encoding"
            _judge(verdict, name, audit.seeded.get(kind.rule), kind.reason_code, kind.action)
    for kind in KINDS:
        name = f"no {'other ' if kind.rule in seeded else ''}{kind.unseeded} is in the audit log"
        action = f"{kind.action} If it is meant to be there, name its field or a pattern in allow."
        _judge(verdict, name, audit.unseeded.get(kind.rule), kind.reason_code, action)


def judge_service(verdict: Verdict, service: Findings, seeded: Collection[str]) -> None:
    """The services' own logs, which may hold no text of a prompt at all."""
    credentials = KINDS[0]
    if credentials.rule in seeded:
        name = f"no {credentials.seeded} is in a service's own log, in any encoding"
        _judge(verdict, name, service.seeded.get(credentials.rule), credentials.reason_code, credentials.action)
    if set(seeded) - {credentials.rule}:
        texts = Places()
        for rule, places in service.seeded.items():
            if rule != credentials.rule:
                texts.merge(places)
        name = "no text of a prompt of the check is in a service's own log, in any encoding"
        _judge(verdict, name, texts, "canary-leaked", f"Take bodies out of what is logged, also when debugging, {_PURGE}")


def _judge(verdict: Verdict, name: str, places: Places | None, reason_code: str, action: str) -> None:
    places = places or Places()
    verdict.expect(
        name,
        not places,
        expected="none",
        observed=places.told() or "none",
        reason_code=reason_code,
        reason=f"{name}: found {places.first()}",
        action=action,
    )

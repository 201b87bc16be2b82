# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for rule files themselves: that Prometheus loads them, and that whoever an alert wakes knows what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..manifests.objects import mapping
from ..manifests.rules import Outcome, Registry
from .prometheus_rules import RuleEntry
from .questions import Questions

ALERT_RULES = Registry()


def _alerts(asked: Questions) -> Iterator[RuleEntry]:
    return (entry for entry in asked.rule_entries if entry.is_alert and not entry.problem)


def _outcome(entry: RuleEntry, ok: bool, expected: str, observed: str) -> Outcome:
    return Outcome(f"{'alert' if entry.is_alert else 'rule'} {entry.name}", ok, expected, observed, entry.path, entry.place)


def _said(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


@ALERT_RULES.rule(
    "rule-malformed",
    "rules are such as Prometheus loads",
    examines="rules",
    source="https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/",
    fix="Give the rule one of alert and record, and a query as expr; Prometheus refuses the whole file otherwise.",
)
def _rule_malformed(asked: Questions) -> Iterator[Outcome]:
    for entry in asked.rule_entries:
        yield _outcome(entry, not entry.problem, "one of alert and record, with expr", entry.problem or "so")


@ALERT_RULES.rule(
    "alert-without-severity",
    "alerts say how severe they are",
    examines="alerts",
    source="https://prometheus.io/docs/practices/alerting/",
    fix="Add the label severity, by which the alert is routed.",
)
def _alert_without_severity(asked: Questions) -> Iterator[Outcome]:
    for entry in _alerts(asked):
        severity = _said(mapping(entry.body.get("labels")).get("severity"))
        yield _outcome(entry, bool(severity), "a label severity", severity or "none")


@ALERT_RULES.rule(
    "alert-without-summary",
    "alerts say what is wrong",
    examines="alerts",
    source="https://prometheus.io/docs/practices/alerting/",
    fix="Add the annotation summary: one line that tells what users notice.",
)
def _alert_without_summary(asked: Questions) -> Iterator[Outcome]:
    for entry in _alerts(asked):
        summary = _said(mapping(entry.body.get("annotations")).get("summary"))
        yield _outcome(entry, bool(summary), "an annotation summary", summary or "none")


@ALERT_RULES.rule(
    "alert-without-runbook",
    "alerts say where help is written",
    examines="alerts",
    source="https://prometheus.io/docs/practices/alerting/",
    fix="Add the annotation runbook_url, with the section that says what to do.",
)
def _alert_without_runbook(asked: Questions) -> Iterator[Outcome]:
    for entry in _alerts(asked):
        annotations = mapping(entry.body.get("annotations"))
        runbook = _said(annotations.get("runbook_url")) or _said(annotations.get("runbook"))
        yield _outcome(entry, bool(runbook), "an annotation runbook_url", runbook or "none")

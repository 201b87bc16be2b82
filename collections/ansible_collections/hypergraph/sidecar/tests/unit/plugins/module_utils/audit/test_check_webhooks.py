# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole check leaves no webhook behind, whatever becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import AuditedGateway, Call
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.judged_log import verdict_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.miswritten_entries import only, raw_snippet


@pytest.mark.parametrize("identity", [7, "wh/7"])
def test_a_webhook_is_deleted_whatever_its_id_is_made_of(gateway: AuditedGateway, identity: Any) -> None:
    gateway.hook_id = lambda _number: identity
    document = verdict_of(gateway)
    assert (document["status"], gateway.hooks) == ("pass", {}), document["reason"]


def test_a_webhook_is_deleted_also_where_that_is_not_audited(gateway: AuditedGateway) -> None:
    gateway.written = only("webhook.delete", lambda call: b"")
    document = verdict_of(gateway, action_names={"webhook.delete": ""})
    assert (document["status"], gateway.hooks) == ("pass", {}), document["reason"]
    assert "webhook.delete" not in document["evidence"]["actions"]


def test_a_webhook_whose_id_is_not_told_is_deleted_and_hides_nothing(gateway: AuditedGateway) -> None:
    gateway.hook_id = lambda _number: None
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"], gateway.hooks) == ("error", "webhook-unreadable", {})
    gateway.written = raw_snippet
    assert verdict_of(gateway)["reason_code"] == "email-unscrubbed"


def test_a_webhook_that_stays_is_named_and_hides_nothing(gateway: AuditedGateway) -> None:
    gateway.served = lambda call: 500 if call.action == "webhook.delete" else call.status
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("error", "webhook-left-behind")
    assert list(gateway.hooks) == ["wh_1"]
    assert "wh_1" in document["reason"]
    gateway.written = raw_snippet
    assert verdict_of(gateway)["reason_code"] == "email-unscrubbed"


def test_a_webhook_outlives_no_log_that_breaks_off_the_check(gateway: AuditedGateway) -> None:
    def after(call: Call) -> None:
        if call.action == "webhook.create":
            gateway.log.unlink()
            gateway.log.mkdir()
            gateway.written = lambda call: b""

    gateway.after = after
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"], gateway.hooks) == ("error", "audit-log-unreadable", {})

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole report-1 documents for tests, built as the action builds them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import build
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.collect import collect
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scope import Scope
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scrub import scrubbed
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.plugins.module_utils.waiver import judge

COLLECTION = Path(__file__).parents[5]
TEMPLATES = COLLECTION / "roles" / "report" / "templates"
NOW = datetime(2030, 11, 21, 12, tzinfo=timezone.utc)
RUN_ID = "20301121T120000Z-0a1b2c"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> | `code` ```\n# heading *bold* [link](http://evil.example) &amp;"

Registered = Mapping[str, Mapping[str, Any]]


def report(registered: Registered, *, previous: Any = (), waivers: Any = (), groups: Any = None, **circumstances: Any) -> dict[str, Any]:
    """The document of a run in which these results were registered, by host and variable."""
    scope = circumstances.pop("scope", Scope(groups=groups or {}))
    known = {"gateway_rbac", "observability", "tenant_isolation", *circumstances.get("required", ())}
    run = build.Run(
        environment="staging",
        run_id=RUN_ID,
        now=NOW,
        scope=scope,
        required=circumstances.pop("required", ("gateway_rbac",)),
        waivers=judge(waivers, now=NOW, known_checks=known),
        **circumstances,
    )
    document = build.build(run, collect(registered, {"rbac": "gateway_rbac"}, Redactor()), list(previous))
    document["snapshot"] = {
        "ansible_core": "2.19.0",
        "python": "3.11.7",
        "collection": "0.1.0",
        "libraries": {"requests": "2.32.0"},
        "inventory": ["inventories/staging"],
        "groups": {"sidecar_probes": ["probe"]},
        "revision": {"commit": "0" * 40, "branch": "main", "dirty": True},
    }
    document["rerun"] = {
        "all": "ansible-playbook verify.yml -e 'a=…'",
        "not_green": "ansible-playbook verify.yml --tags x" if build.not_green(document) else "",
    }
    plain: dict[str, Any] = scrubbed(document, Redactor())
    return plain


def registered(*documents: Mapping[str, Any], host: str = "probe") -> dict[str, dict[str, Any]]:
    """The variables of one host with these verdicts."""
    return {host: {f"sidecar_verdict_{number}": {"changed": False, "verdict": document} for number, document in enumerate(documents)}}


def hostile_verdict(check: str = "gateway_rbac") -> dict[str, Any]:
    """A verdict every text of which tries to break out of the page it is shown on."""
    verdict = Verdict(check, title=HOSTILE, host=HOSTILE)
    verdict.expect(HOSTILE, False, reason_code="broken", expected=HOSTILE, observed=[HOSTILE, {HOSTILE: HOSTILE}], action=HOSTILE)
    verdict.expect("with a reason " + HOSTILE, False, reason_code="broken", reason=HOSTILE, action=HOSTILE)
    verdict.expect("holds " + HOSTILE, True, reason_code="broken", expected=HOSTILE, observed={"a": [HOSTILE]})
    verdict.control(HOSTILE, False, reason_code="unseen", expected=None, observed="")
    verdict.error("broken", HOSTILE, HOSTILE)
    verdict.inconclusive("late", HOSTILE, HOSTILE)
    verdict.skip("not_applicable", HOSTILE, HOSTILE)
    verdict.examine(HOSTILE, 3)
    verdict.record(
        answer=HOSTILE, **{HOSTILE: [HOSTILE]}, matrix={HOSTILE: {HOSTILE: HOSTILE, "reader": 200}, "GET /v1/models": {"reader": 403}}
    )
    verdict.measure(HOSTILE, 0.25)
    verdict.references = [HOSTILE, "javascript:alert(3)", "https://wiki.example.org/a?b=<c>", "docs/runbooks/checks.md#gateway_rbac"]
    return verdict.to_dict()

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue agrees with itself and with the modules there are."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CATALOG, CHECK_OF_MODULE, find

COLLECTION = Path(__file__).parents[4]


def test_ids_are_distinct_and_stable_words() -> None:
    ids = [check.id for check in CATALOG]
    assert len(set(ids)) == len(ids) > 5
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", identity) for identity in ids)


def test_each_check_says_what_would_fail_it_and_where_to_read_on() -> None:
    runbook = (COLLECTION / "docs" / "runbooks" / "checks.md").read_text(encoding="utf-8")
    for check in CATALOG:
        assert check.would_fail
        assert check.title
        assert check.tags
        assert check.runbook == f"docs/runbooks/checks.md#{check.id}"
        assert re.search(rf"^## {check.id}$", runbook, re.MULTILINE), check.id


def test_what_must_not_be_waived_is_not_waivable() -> None:
    assert {"tenant_isolation", "audit_pii"} <= {check.id for check in CATALOG if not check.waivable}


def test_every_module_has_a_check_and_is_there() -> None:
    assert set(CHECK_OF_MODULE.values()) <= {check.id for check in CATALOG}
    for module in CHECK_OF_MODULE:
        assert (COLLECTION / "plugins" / "modules" / f"{module}.py").is_file()
        assert (COLLECTION / "plugins" / "action" / f"{module}.py").is_file()


def test_find_knows_catalogued_checks_only() -> None:
    assert find("gateway_rbac") is CATALOG[[check.id for check in CATALOG].index("gateway_rbac")]
    assert find("our_queue") is None

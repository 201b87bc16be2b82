# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway to run the check against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit import check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import AuditedGateway


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuditedGateway]:
    """It writes before it answers, so that nothing is to be waited for."""
    monkeypatch.setattr(check, "_LINGER", 0.02)
    monkeypatch.setattr(check, "_POLL_INTERVAL", 0.02)
    serving = AuditedGateway(tmp_path / "audit.log")
    serving.start()
    yield serving
    serving.stop()

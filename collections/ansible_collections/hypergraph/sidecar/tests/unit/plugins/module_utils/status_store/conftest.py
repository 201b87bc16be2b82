# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in a file, of two traces."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.status_store.storing_explainer import OLD, replace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    replace(tmp_path / "status.json", OLD)
    return tmp_path / "status.json"

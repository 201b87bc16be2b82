# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an environment to run the check over."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.examined_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)

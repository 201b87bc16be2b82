# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long logs as rotation leaves them, and a token to lie in them."""

from __future__ import annotations

import gzip
from pathlib import Path

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import READER

OLD = b'{"old": 1}\n' * 100_000
TOKEN = f'{{"old": "{READER.value}"}}\n'.encode()


def stored(path: Path, text: bytes) -> None:
    """A log as rotation leaves it: compressed where its name says so, in two members as appending compressors do."""
    half = len(text) // 2
    path.write_bytes(gzip.compress(text[:half], 1) + gzip.compress(text[half:], 1) if path.suffix == ".gz" else text)

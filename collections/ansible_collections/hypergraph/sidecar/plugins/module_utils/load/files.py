# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a run that are replaced whole: readers see the old one or the new one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SUMMARY_FILE, PROGRESS_FILE, WATCH_FILE = "summary.json", "progress.json", "watched"


def replace(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document of JSON to a temporary file beside, and rename it. Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n", encoding="utf-8")
    temporary.replace(path)

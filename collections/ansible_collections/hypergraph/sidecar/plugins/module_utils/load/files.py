# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a run that are replaced whole: readers see the old one or the new one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .codec import document_writer

SUMMARY_FILE, PROGRESS_FILE, WATCH_FILE = "summary.json", "progress.json", "watched"
# What a summary says of the end of its run while there is none.
NOT_ENDED = "not ended yet"


def replace(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document of JSON to a temporary file beside, and rename it. Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(document_writer()(document) + b"\n")
    temporary.replace(path)


def under_way(progress: bytes) -> bool:
    """Whether the run whose progress file says this goes on: its process, on this host, is alive and has not said that it ended."""
    try:
        document = json.loads(progress)
        if document["state"] == "ended":
            return False
        os.kill(document["pid"], 0)
    except PermissionError:
        return True
    except (ValueError, KeyError, TypeError, OSError, OverflowError):
        return False
    return True

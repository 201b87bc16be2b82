# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of a trial as the modules return them, to be spoiled in one place."""

from __future__ import annotations

from typing import Any

HEALTHY = {"outcome": "complete", "submitted": 0.0, "ended": 0.2, "seconds": 0.15, "degraded": [], "said": ""}
FAILED = {**HEALTHY, "outcome": "failed", "seconds": None, "said": "the graph could not be stored"}
CHAT = {"status": 200, "seconds": 0.02}
OFF = {"changed": True, "settled_at": 100.0, "reverted": ["drop-s3"], "reverted_by": "", "host": "one"}
# When the service was watched.
BEFORE, AFTER = {"began_at": 90.0, "duration": 4.0}, {"began_at": 100.5, "duration": 3.0}


def experiment(**changes: Any) -> dict[str, Any]:
    return {"fault": "drop-s3", "parameters": {"percent": 100}, "seen": {"symptom": "failed"}, **changes}


def trial(**changes: Any) -> dict[str, Any]:
    """One in which everything is as it should be."""
    return {
        "experiment": "drop-s3",
        "before": {"traces": [HEALTHY] * 6, "chats": [], "summary": {}, "steady": True, "usual_seconds": 0.15, **BEFORE},
        "injected": [{"changed": True, "settled_at": 95.0, "host": "one"}],
        "during": {"traces": [FAILED] * 6, "chats": [CHAT] * 40, "summary": {"outcomes": {"failed": 6}}, "seen": True},
        "observed": [{"changed": False, "host": "one"}],
        "reverted": [OFF],
        "after": {"traces": [HEALTHY] * 3, "chats": [], "summary": {}, "recovered": 0.2, "lasting": False, **AFTER},
        **changes,
    }

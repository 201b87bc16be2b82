# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending a run as soon as it is decided: by which bounds, and whether it is.

The bounds are those that hold however often one looks (``anytime``), so whoever judges the run afterwards has to use them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..ranges import hold_within
from . import slo
from .exceedance import FAIL, PASS, STATISTICS, Rule


@dataclass(frozen=True)
class StopEarly:
    """The bounds by which a run is decided, as ``slo_check`` has them."""

    quantile: float
    confidence: float
    correlation_seconds: float

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> StopEarly:
        """From a module's argument. Raises CheckError for a number out of range."""
        hold_within(told, STATISTICS, member_of="stop_early.", reason_code="bad-load-plan")
        return cls(*(float(told[name]) for name in STATISTICS))

    def document(self) -> dict[str, float]:
        """The bounds as the summary's plan tells them."""
        return asdict(self)

    def rule(self) -> Rule:
        """How a class is judged."""
        return Rule.told(self.document(), anytime=True)

    def decides(self, summary: Mapping[str, Any]) -> bool:
        """Whether a summary of the run so far shows that some class surely breaks its objective, or that all surely keep theirs."""
        found = slo.judged(summary, slo.asked(summary["plan"]), self.rule(), refusals_expected=False)
        return any(one.judgement.verdict == FAIL or one.failing_segments for one in found) or all(
            one.judgement.verdict == PASS for one in found
        )

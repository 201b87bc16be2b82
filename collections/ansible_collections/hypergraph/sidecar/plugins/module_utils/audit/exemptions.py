# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an environment declares to be no leak: a subject that is an e-mail address, a service's public number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..faults import CheckError
from .patterns import RULES, Match


@dataclass(frozen=True)
class Exemption:
    """Finds of a rule (any, if empty) in a field (any, if empty) whose text the pattern matches as a whole (any, if None)."""

    rule: str = ""
    field: str = ""
    pattern: re.Pattern[str] | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Exemption:
        """An item of the module's ``allow`` argument. Raises CheckError where it would exempt everything, or is malformed."""
        rule, name, pattern = (params.get(key) or "" for key in ("rule", "field", "pattern"))
        remedy = "Correct the item of allow."
        if rule and rule not in RULES:
            raise CheckError("bad-allow", f"allow names the rule {rule!r}, expected one of {', '.join(RULES)}", remedy)
        if not (name or pattern):
            raise CheckError("bad-allow", "an item of allow names neither field nor pattern, so it would switch a rule off", remedy)
        try:
            return cls(rule, name, re.compile(pattern) if pattern else None)
        except re.error as problem:
            raise CheckError("bad-allow", f"the pattern {pattern!r} of allow is no regular expression: {problem}", remedy) from None

    def covers(self, match: Match, name: str) -> bool:
        """Whether a find in the field of that name is exempt."""
        return (
            self.rule in ("", match.rule)
            and self.field in ("", name)
            and (self.pattern is None or self.pattern.fullmatch(match.text) is not None)
        )

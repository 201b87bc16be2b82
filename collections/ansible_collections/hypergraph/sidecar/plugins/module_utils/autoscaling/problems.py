# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with one object, as outcomes of a rule that looks at the whole of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..manifests.objects import Object, Path
from ..manifests.rules import Outcome

# Where, what is expected there, and what there is.
Problem = tuple[Path, str, str]


def outcomes(one: Object, problems: Iterable[Problem]) -> Iterator[Outcome]:
    """One outcome for each problem, or a single good one."""
    held = True
    for path, expected, observed in problems:
        held = False
        yield Outcome(one, False, expected, observed, path)
    if held:
        yield Outcome(one, True)

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts as a shell divides them into words."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.shell_words import shell_words


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("", []),
        ("web  --log\tinfo", ["web", "--log", "info"]),
        ("a;b && c|d\n(e)", ["a", "", "b", "", "", "c", "", "d", "", "", "e", ""]),
        ("a \\\n b\\ c", ["a", "b c"]),
        ("a # b c\n d#e", ["a", "", "d#e"]),
        ("A='b c'\"d e\"f", ["A=b cd ef"]),
        ('"a \\"b\\" \'c\'"', ['a "b" c']),
        ("$A ${B:-c d} $(e 'f g') `h i` $1$@x", ["$()", "${B:-c d}", "$(e f g)", "$()", "$()$()x"]),
        ("'$A' \\$A", ["$A", "$A"]),
        ("a 'b c", ["a", "b", "c"]),
        ('a "b c', ["a", "b", "c"]),
    ],
)
def test_words(script: str, words: list[str]) -> None:
    assert shell_words(script) == words

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a shell script, as far as they can be told without running it."""

from __future__ import annotations

import re

# A comment, a word, or what stands between commands. Quotes and expansions are part of their word.
_TOKEN = re.compile(
    r"""\#[^\n]*
    |(?P<word>(?:\$\([^()]*\)|\$\{[^{}]*\}|`[^`]*`|'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"`;&|()<>])+)
    |(?P<between>[;&|()<>\n])""",
    re.VERBOSE | re.DOTALL,
)
# What is written otherwise than it is read: quoted text, an expansion, a character after a backslash, a quote.
_PART = re.compile(r"""'(?P<quoted>[^']*)'|(?P<expanded>`[^`]*`|\$(?:\w+|[@*#?!$-]))|\\(?P<escaped>.)|\"""", re.DOTALL)


def shell_words(script: str) -> list[str]:
    """The words without their quotes. Between commands stands an empty one, and each expansion without brackets is ``$()``."""
    tokens = _TOKEN.finditer(script.replace("\\\n", ""))
    return [_PART.sub(_read, token["word"] or "") for token in tokens if token["word"] or token["between"]]


def _read(part: re.Match[str]) -> str:
    return "$()" if part["expanded"] else part["quoted"] or part["escaped"] or ""

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which line each part of a JSON document stands."""

from __future__ import annotations

import json
import re

from ..manifests.objects import Path

_TOKEN = re.compile(r'[{}\[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+')


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, of every value of a text that is known to be JSON; that of an object's member is where its key stands."""
    found: dict[Path, int] = {(): 1}
    path: list[str | int] = []
    kinds: list[str] = []
    line, before, awaits_key = 1, 0, False
    for token in _TOKEN.finditer(text):
        line += text.count("\n", before, token.start())
        before = token.start()
        said = token[0]
        if awaits_key and said.startswith('"'):
            path[-1] = json.loads(said)
            found[tuple(path)] = line
            awaits_key = False
            continue
        if said in "}]":
            kinds.pop()
            path.pop()
            awaits_key = False
            continue
        if said == ",":
            awaits_key = kinds[-1] == "{"
            if not awaits_key:
                path[-1] = int(path[-1]) + 1
            continue
        if said == ":":
            continue
        found.setdefault(tuple(path), line)
        if said in "{[":
            kinds.append(said)
            path.append("" if said == "{" else 0)
            awaits_key = said == "{"
    return found

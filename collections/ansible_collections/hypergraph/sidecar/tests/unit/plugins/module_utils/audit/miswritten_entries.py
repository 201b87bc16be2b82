# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries that a gateway writes in place of the right ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import Call, as_line


def changed(**fields: Any) -> Callable[[Call], bytes]:
    return lambda call: as_line({**call.entry(), **fields})


def only(action: str, change: Callable[[Call], bytes]) -> Callable[[Call], bytes]:
    return lambda call: change(call) if call.action == action else as_line(call.entry())


def without(name: str) -> Callable[[Call], bytes]:
    return lambda call: as_line({key: value for key, value in call.entry().items() if key != name})


def raw_snippet(call: Call) -> bytes:
    return as_line({**call.entry(), "snippet": call.prompt[:200]})

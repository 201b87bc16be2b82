# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client with seconds of patience, and the fault that a request of it ends in."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Client

TOKEN = Token("alpha-writer", "Zq8vX3c9K1m2n3p4Q5r6s7t8", "alpha", frozenset({"traces:write"}))


def client(url: str, **options: Any) -> Client:
    return Client(Connection(url, **{"timeout": 5.0, **options}))


def fault_of(url: str, **options: Any) -> CheckError:
    """The fault that one request with a token ends in; whatever it is, it names the request and says what to do, and no token."""
    with pytest.raises(CheckError) as raised:
        client(url, **options).get("/v1/models", TOKEN, max_body=100_000).json()
    fault = raised.value
    assert url in fault.reason
    assert fault.action.endswith(".")
    assert TOKEN.value not in f"{fault.reason} {fault.action} {fault!r}"
    return fault


def wrapped(problem: Exception) -> Exception:
    """A problem that no server here can be made to cause, as the libraries wrap it."""
    import requests

    outer = requests.exceptions.ConnectionError(problem)
    outer.__context__ = outer  # a circle must not be an endless way
    return outer

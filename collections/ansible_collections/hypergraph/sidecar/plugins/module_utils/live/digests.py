# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that must not be shown, compared by digest: of Secrets, whose values are secret, and of ConfigMaps, whose values may be.

What is read of a cluster is digested before it is handed on, so that no argument, log or report holds the values themselves.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Any

from ..manifests.objects import mapping, text

# Rounds by kind: a password is guessed from a plain digest, and this makes every guess cost what 100,000 cost.
ROUNDS = {"Secret": 100_000, "ConfigMap": 1}
_MARK = "digest"
_MEMBERS = ("data", "binaryData")


def digested(body: Mapping[str, Any]) -> dict[str, Any]:
    """A live object as it may be handed on: digests in place of values, and without what only the API server writes."""
    metadata = {key: value for key, value in mapping(body.get("metadata")).items() if key != "managedFields"}
    # The last applied configuration of a Secret holds its values.
    kept = {key: value for key, value in mapping(metadata.get("annotations")).items() if not key.endswith("last-applied-configuration")}
    found = {**{key: value for key, value in body.items() if key != "status"}, "metadata": {**metadata, "annotations": kept}}
    kind = text(body.get("kind"))
    for member in _MEMBERS if kind in ROUNDS else ():
        values = mapping(body.get(member))
        if values:
            encoded = kind == "Secret" or member == "binaryData"
            found[member] = {key: _digest(_raw(value, encoded), ROUNDS[kind], os.urandom(16)) for key, value in values.items()}
    return found


def rendered_values(body: Mapping[str, Any]) -> dict[str, bytes]:
    """The values of a rendered Secret or ConfigMap as the API server keeps them: stringData over data."""
    secret = body.get("kind") == "Secret"
    found = {key: _raw(value, secret) for key, value in mapping(body.get("data")).items()}
    found.update({key: _raw(value, True) for key, value in mapping(body.get("binaryData")).items()})
    if secret:
        found.update({key: _raw(value, False) for key, value in mapping(body.get("stringData")).items()})
    return found


def same(raw: bytes, told: Any) -> bool:
    """Whether a digest is of these bytes."""
    mark, _colon, rest = text(told).partition(":")
    rounds, _colon, rest = rest.partition(":")
    salt, _colon, _digest_of_it = rest.partition(":")
    if mark != _MARK or not rounds.isdigit():
        return False
    try:
        return hmac.compare_digest(_digest(raw, int(rounds), bytes.fromhex(salt)), text(told))
    except ValueError:
        return False


def _digest(raw: bytes, rounds: int, salt: bytes) -> str:
    return f"{_MARK}:{rounds}:{salt.hex()}:{hashlib.pbkdf2_hmac('sha256', raw, salt, rounds).hex()}"


def _raw(value: Any, encoded: bool) -> bytes:
    """The bytes that a value stands for; what is no base64 stands for itself."""
    written = value if isinstance(value, str) else str(value)
    if encoded:
        try:
            return base64.b64decode("".join(written.split()), validate=True)
        except (binascii.Error, ValueError):
            pass
    return written.encode("utf-8", "surrogatepass")

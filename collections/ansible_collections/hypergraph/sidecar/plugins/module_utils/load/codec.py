# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON as the load engine reads and writes it: by msgspec where it is installed, a tenth of the time, else by the standard library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any


def has_msgspec() -> bool:
    """Whether msgspec is installed here."""
    return _msgspec() is not None


def document_writer() -> Callable[[Mapping[str, Any]], bytes]:
    """What makes one document of a mapping."""
    msgspec = _msgspec()
    if msgspec:
        encode: Callable[[Any], bytes] = msgspec.json.encode
        return encode
    return lambda document: json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def line_writer(fields: tuple[str, ...]) -> tuple[Callable[..., Any], Callable[[list[Any]], bytes]]:
    """How a line with these members is made of their values, and how such lines become bytes."""
    msgspec = _msgspec()
    if msgspec:
        return msgspec.defstruct("Line", [(field, Any) for field in fields], gc=False), msgspec.json.Encoder().encode_lines
    encode = json.JSONEncoder(separators=(",", ":")).encode

    def line(*values: Any) -> tuple[Any, ...]:
        return values

    return line, lambda lines: "".join([encode(dict(zip(fields, values))) + "\n" for values in lines]).encode()


def chat_reader() -> Callable[[bytes], bool]:
    """What tells whether a body is the whole answer to a chat: an object of JSON with choices. Nothing it is given makes it raise."""
    msgspec = _msgspec()
    if not msgspec:

        def by_library(body: bytes) -> bool:
            chat = _object(body)
            return isinstance(chat.get("choices"), list) and bool(chat["choices"])

        return by_library
    # What a choice holds is passed over, and only has to be JSON.
    decode = msgspec.json.Decoder(msgspec.defstruct("Chat", [("choices", list.__class_getitem__(msgspec.Raw))], gc=False)).decode
    faults = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

    def by_msgspec(body: bytes) -> bool:
        try:
            return bool(decode(body).choices)
        except faults:
            return False

    return by_msgspec


def state_reader() -> Callable[[bytes], str | None]:
    """What reads the state out of the status of a trace; None where there is none to read."""
    msgspec = _msgspec()
    if not msgspec:

        def by_library(body: bytes) -> str | None:
            state = _object(body).get("state")
            return state if isinstance(state, str) else None

        return by_library
    decode = msgspec.json.Decoder(msgspec.defstruct("Status", [("state", str)], gc=False)).decode
    faults = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

    def by_msgspec(body: bytes) -> str | None:
        try:
            return str(decode(body).state)
        except faults:
            return None

    return by_msgspec


def _object(body: bytes) -> dict[str, Any]:
    """An object of JSON; an empty one where the body is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _msgspec() -> Any:
    try:
        import msgspec
    except ImportError:
        return None
    return msgspec

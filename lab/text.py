"""Text of chats: finding it in messages, cutting it into sentences and words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"\w+(?:['-]\w+)*")


def sentences(text: str) -> list[str]:
    """The sentences of a text, those without any word left out."""
    return [part.strip() for part in _SENTENCE_END.split(text) if _WORD.search(part)]


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return [word.lower() for word in tokens(text)]


def last_user_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of the last user message; parts of a list content are joined."""
    for message in reversed(messages):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, list):
                return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
            return str(content or "")
    return ""


def tokens(text: str) -> list[str]:
    """The words of a text as they are written."""
    return _WORD.findall(text)

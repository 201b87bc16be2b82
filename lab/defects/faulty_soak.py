"""What goes wrong only with time: growth that a short test never shows."""

from __future__ import annotations

from lab.defects import Defects

# What each explanation leaves behind, in bytes, and what a cache keeps of each of the first few: as much again as the explainer needs.
_LEAKED = 512 * 1024
_CACHED, _CACHED_EACH = 12, 4 * 1024 * 1024
# How much slower each chat makes those after it, in seconds, and by what share likelier to fail; of all at most so many.
_SLOWER_SECONDS = 0.002
_FAILING = 0.0005
_AT_MOST = 0.4


class Hoard:
    """What an explainer keeps of explanations that ended."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        self._kept: list[bytes] = []

    def ended(self) -> None:
        """Keep something of one more."""
        # Zeroes would take no memory until somebody writes to them.
        if self._defects.applied("soak-memory-leaks"):
            self._kept.append(b"\x01" * _LEAKED)
        if len(self._kept) < _CACHED and self._defects.applied("benign-memory-plateau"):
            self._kept.append(b"\x01" * _CACHED_EACH)


class Wear:
    """How chats wear a gateway out."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        self._chats = 0
        self._owed = 0.0

    def delay(self) -> float:
        """Count a chat; how many seconds it is slower for those before it."""
        self._chats += 1
        return self._chats * _SLOWER_SECONDS if self._defects.applied("soak-p95-creeps") else 0.0

    def fails(self) -> bool:
        """Whether the chat fails for those before it, in even distances, so that the share is exact."""
        if not self._defects.active("soak-errors-creep"):
            return False
        self._owed += min(self._chats * _FAILING, _AT_MOST)
        if self._owed < 1:
            return False
        self._owed -= 1
        return self._defects.applied("soak-errors-creep")

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The StatusStore in one JSON file, read as a stream: a file of any size costs a window of memory.

Three layouts are understood: an object from trace id to record, an object whose member ``traces`` is such an object or a list, and a list
of records.
"""

from __future__ import annotations

import json
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from .. import strict_json
from ..faults import CheckError
from .records import StoredRecord, TornRead

# A record is some hundred characters; one that does not fit here is none.
MAX_RECORD = 1024 * 1024
_CHUNK = 4 * MAX_RECORD
_WHITE = " \t\n\r"
_RECORD_FIELDS = frozenset(("trace_id", "tenant_id", "state"))


@dataclass(frozen=True)
class JsonFile:
    """A status file of at most ``max_bytes`` bytes. Its writer replaces it by renaming, so one opened file is one moment of the store."""

    path: str
    max_bytes: int

    @property
    def place(self) -> str:
        """The store as messages name it."""
        return f"status file {self.path}"

    def records(self) -> Iterator[StoredRecord]:
        """Every record, in the file's order.

        Raises CheckError where the file is absent, closed to this user, not a file, or too large; TornRead where it cannot be parsed.
        """
        with _opened(self.path, self.max_bytes) as file:
            window = _Window(file, self.max_bytes)
            try:
                for key, document in _documents(window):
                    if not isinstance(document, dict):
                        raise ValueError(f"{'a record' if key is None else f'record {key}'} is a {type(document).__name__}, not an object")
                    yield StoredRecord.read(key, document)
            except (ValueError, RecursionError) as problem:
                said = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)
                raise TornRead(
                    "status-store-unreadable",
                    f"{self.place} cannot be parsed near character {window.position}: {said}",
                    "Let its writer write a temporary file and rename it, and repair what is there.",
                ) from None

    def find(self, trace_id: str) -> StoredRecord | None:
        """The first record of the trace; what follows it in the file is not read."""
        return next((record for record in self.records() if record.id == trace_id), None)

    def version(self) -> object:
        """Which file it is, when it was written, and how long it is; None where there is none."""
        try:
            facts = os.stat(self.path)  # noqa: PTH116  # path may hold what pathlib refuses
        except (OSError, ValueError):
            return None
        return facts.st_ino, facts.st_mtime_ns, facts.st_size


class _Window:
    """A piece of a text, moving forward over it; always at least MAX_RECORD characters ahead, or to the text's end."""

    def __init__(self, file: TextIO, max_bytes: int) -> None:
        self._file = file
        self._left = max_bytes
        self._text = ""
        self._at = 0
        self._before = 0
        self._ended = False

    @property
    def position(self) -> int:
        """How many characters lie behind."""
        return self._before + self._at

    def peek(self) -> str:
        """The next character that is not white space, without taking it; empty at the end."""
        while True:
            self._refill()
            text, at = self._text, self._at
            while at < len(text) and text[at] in _WHITE:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if self._ended:
                return ""

    def take(self, wanted: str) -> str:
        """Take the next character, which must be one of those wanted."""
        found = self.peek()
        if not found or found not in wanted:
            raise ValueError(f"expected {' or '.join(wanted)}, found {found or 'the end'}")
        self._at += 1
        return found

    def value(self) -> Any:
        """Take one JSON value, strictly parsed."""
        if not self.peek():
            raise ValueError("it ends where a value should be")
        self._refill()
        try:
            value, end = strict_json.DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as problem:
            cut = "" if self._ended else f" (or a value is longer than the {MAX_RECORD} characters that are read ahead)"
            raise ValueError(problem.msg + cut) from None
        self._at = end
        return value

    def _refill(self) -> None:
        while not self._ended and len(self._text) - self._at < MAX_RECORD:
            more = self._file.read(_CHUNK)
            self._left -= len(more)
            if self._left < 0:
                raise ValueError("it grows while it is read")
            self._ended = not more
            self._before += self._at
            self._text = self._text[self._at :] + more
            self._at = 0


def _documents(window: _Window) -> Iterator[tuple[str | None, Any]]:
    """The records of the outermost value, with their keys."""
    if window.peek() == "[":
        yield from _listed(window)
    else:
        yield from _outermost(window)
    if window.peek():
        raise ValueError("something follows its end")


def _outermost(window: _Window) -> Iterator[tuple[str | None, Any]]:
    """The records of an outermost object. It is a wrapper unless its first member looks like a record."""
    wrapper = False
    found = False
    for number, key in enumerate(_keys(window)):
        if key == "traces" and (wrapper or number == 0):
            if found:
                raise ValueError("member traces occurs twice")
            wrapper = found = True
            yield from _listed(window) if window.peek() == "[" else _keyed(window)
            continue
        document = window.value()
        if number == 0:
            wrapper = not (isinstance(document, dict) and _RECORD_FIELDS & document.keys())
        if not wrapper:
            yield key, document
    if wrapper and not found:
        raise ValueError("it holds neither records nor a member traces")


def _keyed(window: _Window) -> Iterator[tuple[str | None, Any]]:
    for key in _keys(window):
        yield key, window.value()


def _keys(window: _Window) -> Iterator[str]:
    """The keys of an object; whoever iterates takes the value after each."""
    window.take("{")
    if window.peek() == "}":
        window.take("}")
        return
    while True:
        key = window.value()
        if not isinstance(key, str):
            raise ValueError(f"expected a key, found a {type(key).__name__}")
        window.take(":")
        yield key
        if window.take(",}") == "}":
            return


def _listed(window: _Window) -> Iterator[tuple[str | None, Any]]:
    window.take("[")
    if window.peek() == "]":
        window.take("]")
        return
    while True:
        yield None, window.value()
        if window.take(",]") == "]":
            return


@contextmanager
def _opened(path: str, max_bytes: int) -> Iterator[TextIO]:
    """The file, opened for reading as UTF-8. Raises CheckError where it cannot be."""
    try:
        # Non-blocking, so that a pipe in its place answers at once.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CheckError(
            "status-store-missing",
            f"status file {path or '(empty path)'} does not exist",
            "Set path to the file that STATUS_JSON_PATH names, and run the check on the explainer's host.",
        ) from None
    except PermissionError:
        raise CheckError(
            "status-store-forbidden",
            f"status file {path} may not be read by user {_user()}",
            "Give that user read access to the file and search access to its directories, or run the task with become.",
        ) from None
    except (OSError, ValueError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise CheckError("status-store-unreadable", f"status file {path!r} cannot be opened: {said}", "Correct path.") from None
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise CheckError("status-store-unreadable", f"status file {path} is not a regular file", "Set path to the status file itself.")
    with os.fdopen(descriptor, encoding="utf-8", newline="") as file:
        if facts.st_size > max_bytes:
            raise CheckError(
                "status-store-too-large",
                f"status file {path} has {facts.st_size} bytes, more than max_bytes {max_bytes}; it was not examined",
                "Raise max_bytes (a reading takes about half a minute a GiB), let old traces expire, or move to a database.",
            )
        yield file


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())

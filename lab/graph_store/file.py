"""Graphs as files, ``<trace id>.hif.json`` in one directory."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


class FileGraphStore:
    """Graphs in a directory; see GraphStore."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    async def put(self, trace_id: str, graph: bytes) -> str:
        """Keep a graph; returns its file URI."""
        place = self._place(trace_id)
        descriptor, temporary = tempfile.mkstemp(dir=self._directory, prefix=f".{place.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(graph)
        Path(temporary).replace(place)
        return place.as_uri()

    async def get(self, trace_id: str) -> bytes | None:
        """The graph, or None."""
        try:
            return self._place(trace_id).read_bytes()
        except FileNotFoundError:
            return None

    def _place(self, trace_id: str) -> Path:
        return self._directory / f"{trace_id}.hif.json"

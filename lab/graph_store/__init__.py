"""Where graphs are kept: as files, or as objects of an S3-compatible store."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from lab.graph_store.file import FileGraphStore
from lab.settings import Settings


class GraphStore(Protocol):
    """Where graphs are kept. Every method raises OSError where the store cannot be used."""

    async def put(self, trace_id: str, graph: bytes) -> str:
        """Keep a graph, as a whole or not at all; returns its URI."""

    async def get(self, trace_id: str) -> bytes | None:
        """The graph, or None."""


def graph_store(settings: Settings) -> GraphStore:
    """The store that the settings name."""
    place = urlsplit(settings.GRAPH_STORE_URI)
    if place.scheme == "s3":
        from lab.graph_store.s3 import S3GraphStore

        return S3GraphStore(place.netloc, place.path.strip("/"))
    return FileGraphStore(Path(place.path))

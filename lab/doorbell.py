"""A doorbell between processes: a named pipe. Who waits sleeps until somebody rings; a ring into an empty house is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path


def ring(path: Path) -> None:
    """Wake whoever waits; nobody need be there."""
    # ENXIO: nobody listens. EAGAIN: it has been rung more often than anybody can count.
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(descriptor, b".")
        finally:
            os.close(descriptor)


class Doorbell:
    """The listening end; belongs to the running event loop."""

    def __init__(self, path: Path) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # Open for both ways, the pipe never ends when a ringer leaves.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._rung = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._descriptor, self._hear)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, 4096)
        self._rung.set()

    async def wait(self, at_most: float) -> None:
        """Sleep until it rings, ``at_most`` so many seconds. A ring since the last wait counts."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._rung.wait()
        self._rung.clear()

    def wake(self) -> None:
        """Ring from within this process."""
        self._rung.set()

    def close(self) -> None:
        """Stop listening."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)

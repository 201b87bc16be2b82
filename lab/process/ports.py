"""Ports on loopback: those asked for, or free ones."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Mapping

from lab.process.state_directory import LabError

# Below the ephemeral range of Linux (32768 and up), so that no outgoing connection takes a port while its service restarts.
_RANGE = (18000, 32000)
# What a service says when it cannot have its port; the starter reads it from the log.
PORT_TAKEN = "its port was taken"


def assign(services: Iterable[str], wanted: Mapping[str, int]) -> dict[str, int]:
    """A port for each service. Raises LabError naming a wanted port that is taken, and where no free one is found."""
    ports: dict[str, int] = {}
    for service in services:
        if service in wanted:
            port = wanted[service]
            if port in ports.values():
                raise LabError(f"port {port} is asked for twice; give --{service}-port another")
            if not _is_free(port):
                raise LabError(f"port {port} for {service} is taken; give --{service}-port another, or leave it out for a free one")
            ports[service] = port
    for service in services:
        if service not in ports:
            ports[service] = _free(ports.values())
    return ports


def _free(taken: Iterable[int]) -> int:
    for _attempt in range(200):
        port = random.randrange(*_RANGE)  # noqa: S311  # a choice, no secret
        if port not in taken and _is_free(port):
            return port
    raise LabError(f"no free port found on 127.0.0.1 between {_RANGE[0]} and {_RANGE[1]}; name some with --gateway-port and the like")


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        # As servers do; a port with nothing but closing connections on it is free.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

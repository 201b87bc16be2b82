"""A service of the lab as a process: ``python -m lab.serve gateway|interceptor|llm|explainer``, started by supervisord."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import socket
import sys

import uvicorn

from lab.defects import Defects
from lab.process.parent_death import die_with_parent
from lab.process.ports import PORT_TAKEN
from lab.process.state_directory import StateDirectory
from lab.settings import Settings

_MODULES = {"gateway": "lab.gateway.service", "interceptor": "lab.interceptor", "llm": "lab.llm", "explainer": "lab.explainer.service"}
_FAULTY = {"gateway": "lab.defects.faulty_gateway", "explainer": "lab.defects.faulty_explainer"}


def main(service: str) -> None:
    """Serve until told to stop."""
    die_with_parent(int(os.environ["SIDECAR_SUPERVISOR_PID"]))
    settings = Settings.from_environment()
    logging.basicConfig(level=settings.LOG_LEVEL, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stdout)
    # httpx logs each request with its URL, boto3's parts their payloads.
    for chatty in ("httpx", "httpcore", "botocore", "boto3", "urllib3", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    listener = _listen(service, settings.SIDECAR_PORTS[service])
    defects = Defects(frozenset(settings.SIDECAR_DEFECTS), service, StateDirectory(settings.SIDECAR_STATE).defects_journal)
    application = importlib.import_module(_MODULES[service]).application
    made = (
        application(settings, importlib.import_module(_FAULTY[service]).kit(defects))
        if defects and service in _FAULTY
        else application(settings)
    )
    config = uvicorn.Config(
        made,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=service != "gateway",
        timeout_graceful_shutdown=3,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listen(service: str, port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, Nagle and delayed ACKs cost 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as problem:
        if problem.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"{service}: {PORT_TAKEN} (127.0.0.1:{port})")
    return listener


if __name__ == "__main__":
    main(sys.argv[1])

"""Where in the state directory the services meet."""

from __future__ import annotations

from pathlib import Path

from lab.settings import Settings


def database_path(settings: Settings) -> Path:
    """The shared SQLite file."""
    return settings.SIDECAR_STATE / "sidecar.db"


def queue_bell_path(settings: Settings) -> Path:
    """Rung when a job was added."""
    return settings.SIDECAR_STATE / "run" / "queue.bell"


def delivery_bell_path(settings: Settings) -> Path:
    """Rung when a webhook delivery was scheduled."""
    return settings.SIDECAR_STATE / "run" / "delivery.bell"


def openapi_path(settings: Settings) -> Path:
    """The API document that the gateway serves."""
    return settings.SIDECAR_STATE / "api/openapi/hypergraph-api.yaml"

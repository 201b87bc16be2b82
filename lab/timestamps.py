"""Time as the API writes it: RFC 3339 in UTC with microseconds, which sorts as text."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The current time, such as ``2026-01-31T12:00:00.000000Z``."""
    return text(datetime.now(UTC))


def text(moment: datetime) -> str:
    """A moment as the API writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse(written: str) -> datetime:
    """A moment from RFC 3339 text. Raises ValueError where it is none or has no time zone."""
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError(f"{written!r} names no time zone")
    return moment

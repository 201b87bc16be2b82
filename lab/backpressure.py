"""The backpressure ladder: what gives way, in which order, while more explanations are asked for than can be made.

The level follows from how much waits. From the soft threshold on, explanations get cheaper, a rung at each third of the way to the hard
threshold: fewer features (``reduce-topk``), fewer layers (``reduce-layers``), sentences instead of tokens (``downgrade-granularity``). From
the hard threshold on no further explanation is attached (``refuse-attach``); the chat itself is still served.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from lab.database import Database
from lab.queue import Backlog, Queue
from lab.settings import Settings

SOFT_RUNGS = ("reduce-topk", "reduce-layers", "downgrade-granularity")
REFUSE = "refuse-attach"


class Level(IntEnum):
    """How hard the system is pressed; the value of the metric ``backpressure_level``."""

    NORMAL = 0
    SOFT = 1
    HARD = 2


@dataclass(frozen=True)
class Pressure:
    """The level with its soft rungs, and after how many whole seconds a refused caller may try again."""

    level: Level
    rungs: tuple[str, ...]
    retry_after: int


class Ladder:
    """Tells how hard the system is pressed, to every process that asks, from the queue they share."""

    def __init__(self, settings: Settings, database: Database, queue: Queue) -> None:
        self._settings = settings
        self._database = database
        self._queue = queue

    def force(self, level: Level) -> None:
        """Pretend at least this level, for every process, until told otherwise."""
        self._database.execute(
            "INSERT INTO backpressure VALUES (1, ?) ON CONFLICT (only_row) DO UPDATE SET forced_level = excluded.forced_level", (level,)
        )

    def pressure(self) -> Pressure:
        """How hard the system is pressed now."""
        row = self._database.execute("SELECT forced_level FROM backpressure").fetchone()
        return judged(self._settings, self._queue.backlog(), Level(row["forced_level"] if row else 0))


def judged(settings: Settings, backlog: Backlog, forced: Level = Level.NORMAL) -> Pressure:
    """The pressure that a backlog means, at least the forced level; a forced soft level takes every soft rung."""
    way = max(
        _way(backlog.depth, settings.QUEUE_SOFT_DEPTH, settings.QUEUE_HARD_DEPTH),
        _way(backlog.lag, settings.QUEUE_SOFT_LAG_SECONDS, settings.QUEUE_HARD_LAG_SECONDS),
    )
    level = max(Level.HARD if way >= 1 else Level.SOFT if way >= 0 else Level.NORMAL, forced)
    taken = len(SOFT_RUNGS) if forced or level is Level.HARD else min(len(SOFT_RUNGS), math.floor(way * len(SOFT_RUNGS)) + 1)
    retry_after = max(1, math.ceil(min(60.0, backlog.lag / 2)))
    return Pressure(level, SOFT_RUNGS[:taken] if level else (), retry_after)


def _way(value: float, soft: float, hard: float) -> float:
    """How far a value is on the way from the soft threshold (0) to the hard one (1); negative below."""
    return (value - soft) / (hard - soft)

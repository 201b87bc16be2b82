"""What the faulty parts share."""

from __future__ import annotations

from typing import Any

from lab.defects import Defects


class Seeded:
    """A part that knows which defects are seeded; stands before the healthy class among the bases, and takes what that takes."""

    def __init__(self, defects: Defects, *parts: Any) -> None:
        super().__init__(*parts)
        self._defects = defects

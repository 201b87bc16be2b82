"""Service times as distributions, written the way a person would say them."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass

# Quantile of the standard normal distribution at 0.95.
_Z95 = 1.6448536269514722
_NUMBER = r"(\d+(?:\.\d+)?)"
_FORMS = "a constant (`20`), `uniform:LOW-HIGH`, or `lognormal:MEDIAN,P95`, in milliseconds"


@dataclass(frozen=True)
class Distribution:
    """A distribution of durations in milliseconds. ``low`` and ``high`` are its bounds when uniform, its median and p95 when lognormal."""

    kind: str
    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> Distribution:
        """Read ``20``, ``uniform:15-40`` or ``lognormal:20,45``. Raises ValueError naming the accepted forms."""
        written = text.strip()
        if constant := re.fullmatch(_NUMBER, written):
            return cls("constant", float(constant[1]), float(constant[1]))
        if uniform := re.fullmatch(rf"uniform:{_NUMBER}-{_NUMBER}", written):
            return cls._ordered("uniform", uniform[1], uniform[2], written)
        if lognormal := re.fullmatch(rf"lognormal:{_NUMBER},{_NUMBER}", written):
            if float(lognormal[1]) <= 0:
                raise ValueError(f"{written!r}: the median of a lognormal distribution must be above 0")
            return cls._ordered("lognormal", lognormal[1], lognormal[2], written)
        raise ValueError(f"{written!r} is no distribution; write {_FORMS}")

    @classmethod
    def _ordered(cls, kind: str, low: str, high: str, written: str) -> Distribution:
        if float(low) > float(high):
            raise ValueError(f"{written!r}: {low} is above {high}")
        return cls(kind, float(low), float(high))

    def sample(self, source: random.Random) -> float:
        """One duration, in seconds."""
        if self.kind == "lognormal":
            sigma = math.log(self.high / self.low) / _Z95
            return self.low * math.exp(sigma * source.gauss(0.0, 1.0)) / 1000
        return source.uniform(self.low, self.high) / 1000

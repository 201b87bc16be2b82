# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the segments of a soak ask for. A profile is data: attach rates in turn, bursts of tokens, and spikes of the rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STEADY = "steady"
_WARMUP_SHARE, _WARMUP_MOST_S = 0.1, 30.0


@dataclass(frozen=True)
class Burst:
    """The last share of every ``every``-th segment asks for explanations by token only, of so many chats."""

    every: int
    share: float
    attach_rate: float


@dataclass(frozen=True)
class Profile:
    """Rates are multiples of the base rate. Segments take the attach rates in turn; ``spikes`` of ``spike_rate`` times the rate, each so
    long a share of the segment, are spread evenly over it."""

    rate: float
    attach_rates: tuple[float, ...]
    burst: Burst
    spikes: int = 0
    spike_rate: float = 1.0
    spike_share: float = 0.0


PROFILES: Mapping[str, Profile] = {
    "default": Profile(rate=1.0, attach_rates=(0.1, 0.3, 0.5), burst=Burst(every=3, share=0.1, attach_rate=0.5)),
    "heavy": Profile(rate=1.5, attach_rates=(0.3, 0.5, 0.7), burst=Burst(every=2, share=0.2, attach_rate=0.7)),
    "spiky": Profile(
        rate=0.7,
        attach_rates=(0.1, 0.5, 0.2),
        burst=Burst(every=3, share=0.1, attach_rate=0.5),
        spikes=2,
        spike_rate=3.0,
        spike_share=0.05,
    ),
}


def segments(profile: Profile, count: int, seconds: float, rate: float) -> list[dict[str, Any]]:
    """The segments of a soak, each with the phases that the load module takes; ``rate`` is the base rate in chats per second."""
    return [_segment(profile, number, seconds, rate) for number in range(1, count + 1)]


def _segment(profile: Profile, number: int, seconds: float, rate: float) -> dict[str, Any]:
    attach_rate = profile.attach_rates[(number - 1) % len(profile.attach_rates)]
    asked = {"rate": round(profile.rate * rate, 3), "attach_rate": attach_rate}
    warmup = min(_WARMUP_SHARE * seconds, _WARMUP_MOST_S)
    phases: list[dict[str, Any]] = [{"name": "warmup", "kind": "warmup", "duration": warmup, **asked}]
    bursts = number % profile.burst.every == 0
    burst = profile.burst.share * seconds if bursts else 0.0
    spike = profile.spike_share * seconds
    steady = (seconds - warmup - burst - profile.spikes * spike) / (profile.spikes + 1)
    for place in range(profile.spikes + 1):
        name = f"{STEADY}-{place + 1}" if profile.spikes else STEADY
        phases.append({"name": name, "kind": "steady", "duration": steady, **asked})
        if place < profile.spikes:
            spiking = round(profile.spike_rate * profile.rate * rate, 3)
            phases.append({**asked, "name": f"spike-{place + 1}", "kind": "burst", "duration": spike, "rate": spiking})
    if bursts:
        tokens = {"granularity": "token", "attach_rate": profile.burst.attach_rate}
        phases.append({**asked, "name": "tokens", "kind": "burst", "duration": burst, **tokens})
    rounded = [{**phase, "duration": round(phase["duration"], 3)} for phase in phases]
    return {"number": number, "name": f"{number:04}", "seconds": seconds, "attach_rate": attach_rate, "phases": rounded}

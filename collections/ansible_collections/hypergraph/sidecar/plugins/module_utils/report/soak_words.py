# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A soak in words, as both reports have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .load_words import NONE, latency, per_second, seconds, share, signed_percent
from .soak_run import ERRORS, LAG, MEMORY, P95, Curve, SoakRun
from .view import number

_MEGABYTE = 1e6
# From so large a share on, percents are told without digits behind the point.
_WHOLE = 0.9995


def headline(run: SoakRun) -> str:
    """What was driven, and whether all of it was."""
    count = len(run.segments) + run.segments_left_out
    hosts = len(run.generators)
    told = f"{run.id}, profile {run.profile} at a base rate of {per_second(run.rate_per_s)} from {'each of ' if hosts > 1 else ''}{hosts} "
    told += f"{'generator' if hosts == 1 else 'generators'}, {number(count)} segments of {seconds(run.segment_s)}"
    return f"{told}, {number(run.broken)} of them not whole" if run.broken else told


def quantity(value: float | None, kind: str) -> str:
    """A value of a curve, with the unit that suits it."""
    if value is None:
        return NONE
    if kind == MEMORY:
        return f"{value / _MEGABYTE:,.1f} MB"
    if kind == ERRORS:
        return share(value)
    return latency(value if kind == P95 else value * 1000)


def change(value: float, curve: Curve) -> str:
    """A rise as the curve is judged by: in percent of its mean, in points of a share, or as a time."""
    if curve.kind == LAG:
        return f"{'-' if value < 0 else '+'}{latency(abs(value) * 1000)}"
    return f"{value * 100:+,.0f} %" if abs(value) >= _WHOLE else signed_percent(value)


def rise(curve: Curve) -> str:
    """Between what it rose."""
    if curve.rise is None:
        return "too few points for a trend"
    low, high = (change(value, curve) for value in curve.rise)
    return low if low == high else f"{low} to {high}"


def allowed(curve: Curve) -> str:
    """By how much it may rise."""
    return change(curve.most, curve)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "soak_headline": headline,
    "quantity": quantity,
    "rise": rise,
    "allowed": allowed,
}

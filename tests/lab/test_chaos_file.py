"""The chaos control file: what it injects, and that anything wrong with it has no effect."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.chaos import Chaos


def chaos(path: Path, flags: Any = None, injected: list[str] | None = None) -> Chaos:
    if flags is not None:
        path.write_text(flags if isinstance(flags, str) else json.dumps(flags))
    noted = injected if injected is not None else []
    return Chaos(path, random.Random(1), noted.append)


def moment(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def is_quiet(subject: Chaos) -> bool:
    return (subject.slowness(), subject.drops_graph(), subject.attribution_failure(), subject.spike()) == (0.0, False, "", "")


def test_flags_in_force(tmp_path: Path) -> None:
    injected: list[str] = []
    flags = {
        "slow-sae": {"percent": 100, "jitter_ms": 400, "expires_at": moment(60)},
        "drop-s3": {"percent": 100},
        "fail-attribution": {"percent": 100, "mode": "fallback"},
        "rate-limit-spike": {"severity": "hard"},
    }
    subject = chaos(tmp_path / "chaos.json", flags, injected)
    assert 0.2 <= subject.slowness() <= 0.4
    assert subject.drops_graph()
    assert (subject.attribution_failure(), subject.spike()) == ("fallback", "hard")
    assert injected == ["slow-sae", "drop-s3", "fail-attribution"]


def test_percent_is_a_share_of_jobs(tmp_path: Path) -> None:
    subject = chaos(tmp_path / "chaos.json", {"drop-s3": {"percent": 30}})
    assert sum(subject.drops_graph() for _ in range(2000)) == pytest.approx(600, rel=0.12)


@pytest.mark.parametrize(
    "flags",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        " " * 70_000 + '{"drop-s3": {"percent": 100}}',
        {"drop-s3": {"percent": 101}},
        {"drop-s3": {"percent": True}},
        {"drop-s3": {"percent": "100"}},
        {"drop-s3": 100},
        '{"drop-s3": {"percent": NaN}}',
        {"drop-s3": {"percent": 0}},
        {"drop-s3": {"percent": 100, "expires_at": moment(-1)}},
        {"drop-s3": {"percent": 100, "expires_at": "2999-01-01T00:00:00"}},
        {"drop-s3": {"percent": 100, "expires_at": "soon"}},
        {"slow-sae": {"percent": 100}},
        {"fail-attribution": {"percent": 100, "mode": "explode"}},
        {"rate-limit-spike": {"severity": "harder"}},
        {"drop-s4": {"percent": 100}},
    ],
)
def test_what_is_missing_malformed_or_expired_has_no_effect(flags: Any, tmp_path: Path) -> None:
    assert is_quiet(chaos(tmp_path / "chaos.json", flags))


def test_one_bad_flag_leaves_the_others(tmp_path: Path) -> None:
    assert chaos(tmp_path / "chaos.json", {"drop-s3": {"percent": -1}, "rate-limit-spike": {"severity": "soft"}}).spike() == "soft"


def test_changes_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "chaos.json"
    subject = chaos(path)
    assert is_quiet(subject)
    path.write_text('{"rate-limit-spike": {"severity": "soft"}}')
    assert subject.spike() == "soft"
    replacement = tmp_path / "new"
    replacement.write_text('{"rate-limit-spike": {"severity": "hard"}}')
    os.utime(replacement, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    replacement.replace(path)
    assert subject.spike() == "hard"
    path.unlink()
    assert is_quiet(subject)
    path.mkdir()
    assert is_quiet(subject)

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading log files and following one while it is written and rotated."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.follower import Follower
from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.log_files import MAX_LINE, LogFile, line_start, rotated_siblings
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError

REMEDY = "Look elsewhere."


def opened(path: Path) -> LogFile:
    return LogFile(str(path), "audit", REMEDY)


def append(path: Path, *lines: str, end: str = "\n") -> None:
    with path.open("a") as file:
        file.write("\n".join(lines) + end)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit.log"
    append(path, "old 1", "old 2")
    return path


@pytest.fixture
def follow() -> Iterator[Callable[[Path], Follower]]:
    followers: list[Follower] = []

    def start(path: Path) -> Follower:
        followers.append(Follower(str(path), REMEDY))
        return followers[-1]

    yield start
    for follower in followers:
        follower.close()


def polled(follower: Follower) -> list[str]:
    return [line.data.decode() for line in follower.poll()]


def test_lines_have_their_offsets(log: Path) -> None:
    (chunk,) = opened(log).chunks()
    assert list(chunk.lines()) == [(0, b"old 1"), (6, b"old 2")]
    assert chunk.end == log.stat().st_size


def test_a_line_without_its_newline_is_left_out(log: Path) -> None:
    append(log, "half", end="")
    assert [chunk.data for chunk in opened(log).chunks()] == [b"old 1\nold 2\n"]


def test_reading_stops_where_it_is_told(log: Path) -> None:
    assert [chunk.data for chunk in opened(log).chunks(6, 12)] == [b"old 2\n"]
    assert [chunk.data for chunk in opened(log).chunks(0, 8)] == [b"old 1\n"]
    assert list(opened(log).chunks(6, 6)) == []


def test_many_chunks_are_the_whole_text(tmp_path: Path) -> None:
    lines = [f"{number:07d} {'x' * (number % 97)}" for number in range(60_000)]
    (tmp_path / "a.log").write_text("\n".join(lines) + "\n")
    with gzip.open(tmp_path / "a.log.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    for path in (tmp_path / "a.log", tmp_path / "a.log.gz"):
        chunks = list(opened(path).chunks())
        assert len(chunks) > 2
        assert [line.decode() for chunk in chunks for _offset, line in chunk.lines()] == lines
        assert [chunk.offset for chunk in chunks[1:]] == [chunk.end for chunk in chunks[:-1]]


def test_an_overlong_line_is_read_in_pieces_that_overlap(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"first\n" + b"y" * (3 * MAX_LINE) + b"NEEDLE" + b"z" * MAX_LINE + b"\nlast\n")
    chunks = list(opened(path).chunks())
    assert [chunk.data for chunk in chunks if not chunk.overlong] == [b"first\n", b"last\n"]
    pieces = [chunk for chunk in chunks if chunk.overlong]
    assert len(pieces) > 2
    assert max(len(piece.data) for piece in pieces) < 3 * MAX_LINE
    assert sum(piece.data.count(b"\n") for piece in pieces) == 1
    assert any(b"NEEDLE" in piece.data for piece in pieces)
    assert all(later.offset < earlier.end for earlier, later in zip(pieces, pieces[1:]))


@pytest.mark.parametrize(("offset", "start"), [(0, 0), (3, 0), (6, 6), (7, 6), (12, 12)])
def test_where_a_line_starts(log: Path, offset: int, start: int) -> None:
    assert line_start(opened(log), offset) == start


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("none.log", "audit-log-missing"),
        (".", "audit-log-unreadable"),
        ("pipe", "audit-log-unreadable"),
        ("a.log/b", "audit-log-missing"),
        ("loop", "audit-log-unreadable"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "a.log").write_text("")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(CheckError) as fault:
        opened(tmp_path / name)
    assert fault.value.reason_code == code
    assert str(tmp_path) in fault.value.reason


def test_a_log_closed_to_the_user_is_said(log: Path) -> None:
    """Root may read anything, so the attempt is made by a child that is not."""
    log.chmod(0o600)
    log.parent.chmod(0o755)
    child = os.fork()
    if child == 0:
        status = 2
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            else:
                log.chmod(0)
            os.chdir("/")
            opened(log)
        except CheckError as fault:
            status = 0 if fault.reason_code in ("audit-log-forbidden",) else 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: data[:200] + b"\xff" * 50 + data[250:]])
def test_broken_compression_is_said(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.log.gz"
    path.write_bytes(damage(gzip.compress(os.urandom(5000).hex().encode())))
    with pytest.raises(CheckError) as fault:
        list(opened(path).chunks())
    assert fault.value.reason_code == "audit-log-unreadable"


@pytest.mark.parametrize("data", [b"", b"one\n", b"y" * (3 * MAX_LINE + 7)], ids=["nothing", "a line", "several blocks"])
def test_the_size_of_a_text_is_that_of_what_is_compressed(tmp_path: Path, data: bytes) -> None:
    never = time.monotonic() + 3600
    for name, content in (("a.log", data), ("a.log.gz", gzip.compress(data[:5]) + gzip.compress(data[5:]))):
        (tmp_path / name).write_bytes(content)
        assert opened(tmp_path / name).text_size(never) == len(data)


def test_the_size_of_a_text_is_unknown_where_time_is_up(tmp_path: Path) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(b"one\n"))
    assert opened(tmp_path / "a.log.gz").text_size(time.monotonic() - 1) is None


def test_a_name_alone_makes_no_gzip(tmp_path: Path) -> None:
    path = tmp_path / "a.log.gz"
    path.write_text("plain\n")
    assert [chunk.data for chunk in opened(path).chunks()] == [b"plain\n"]


def test_siblings_are_what_rotation_leaves_newest_first(log: Path) -> None:
    names = ["audit.log.1", "audit.log.2.gz", "audit.log-20260131", "audit.log.2026-01-30.gz", "audit.log.old"]
    for age, name in enumerate(names):
        (log.parent / name).write_text("")
        os.utime(log.parent / name, (1_000_000 - age, 1_000_000 - age))
    for name in ("audit.log.bak", "audit.log.1.tmp", "audit.logs", "other.log.1"):
        (log.parent / name).write_text("")
    (log.parent / "audit.log.3").mkdir()
    assert [Path(path).name for path in rotated_siblings(str(log))] == names
    assert rotated_siblings(str(log.parent / "no" / "audit.log")) == []


def test_only_what_is_new_is_told(log: Path, follow: Callable[[Path], Follower]) -> None:
    follower = follow(log)
    assert polled(follower) == []
    append(log, "new 1", "new 2")
    lines = list(follower.poll())
    assert [(line.offset, line.data) for line in lines] == [(12, b"new 1"), (18, b"new 2")]
    assert polled(follower) == []


def test_a_half_written_line_is_waited_for(log: Path, follow: Callable[[Path], Follower]) -> None:
    follower = follow(log)
    append(log, "new 1", '{"ts": "20', end="")
    assert polled(follower) == ["new 1"]
    assert polled(follower) == []
    append(log, '26"}')
    assert polled(follower) == ['{"ts": "2026"}']


def test_a_line_half_written_at_the_beginning_is_new(tmp_path: Path, follow: Callable[[Path], Follower]) -> None:
    log = tmp_path / "audit.log"
    append(log, "old", "hal", end="")
    follower = follow(log)
    append(log, "f")
    assert polled(follower) == ["half"]


def test_a_log_may_appear_later(tmp_path: Path, follow: Callable[[Path], Follower]) -> None:
    follower = follow(tmp_path / "audit.log")
    assert not follower.found
    assert polled(follower) == []
    append(tmp_path / "audit.log", "first")
    assert polled(follower) == ["first"]
    assert follower.found


def test_a_renamed_log_is_read_to_its_end_and_beyond(log: Path, follow: Callable[[Path], Follower]) -> None:
    follower = follow(log)
    append(log, "before")
    log.rename(log.with_name("audit.log.1"))
    append(log.with_name("audit.log.1"), "by a writer that did not notice")
    assert polled(follower) == ["before", "by a writer that did not notice"]
    append(log, "after")
    append(log.with_name("audit.log.1"), "still")
    assert sorted(polled(follower)) == ["after", "still"]
    assert [segment.start for segment in follower.segments] == [12, 0]


def test_a_renamed_log_that_is_compressed_and_removed_is_read(log: Path, follow: Callable[[Path], Follower]) -> None:
    follower = follow(log)
    append(log, "before")
    rotated = log.with_name("audit.log.1")
    log.rename(rotated)
    append(log, "after")
    log.with_name("audit.log.1.gz").write_bytes(gzip.compress(rotated.read_bytes()))
    rotated.unlink()
    assert polled(follower) == ["before", "after"]


@pytest.mark.parametrize("compressed", [False, True])
def test_a_copied_and_truncated_log_is_read_from_the_copy(log: Path, follow: Callable[[Path], Follower], compressed: bool) -> None:
    follower = follow(log)
    append(log, "seen")
    assert polled(follower) == ["seen"]
    append(log, "unseen")
    log.with_name("audit.log.2").write_text("another log altogether, and longer\n" * 9)
    if compressed:
        log.with_name("audit.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    else:
        shutil.copy(log, log.with_name("audit.log.1"))
    os.truncate(log, 0)
    append(log, "after")
    assert polled(follower) == ["unseen", "after"]
    assert not follower.lost
    assert [copy.start for copy in follower.copies] == [12]
    append(log, "later")
    assert polled(follower) == ["later"]


def test_a_truncated_log_that_has_outgrown_its_position_is_noticed(log: Path, follow: Callable[[Path], Follower]) -> None:
    follower = follow(log)
    shutil.copy(log, log.with_name("audit.log.1"))
    os.truncate(log, 0)
    append(log, *(f"new {number}" for number in range(20)))
    assert len(polled(follower)) == 20


def test_a_truncated_log_without_a_copy_is_lost(log: Path, follow: Callable[[Path], Follower]) -> None:
    follower = follow(log)
    append(log, "gone")
    os.truncate(log, 0)
    append(log, "after")
    assert polled(follower) == ["after"]
    assert follower.lost


def test_nothing_of_a_compressed_log_is_new(tmp_path: Path, follow: Callable[[Path], Follower]) -> None:
    (tmp_path / "audit.log.gz").write_bytes(gzip.compress(b"old\n"))
    assert polled(follow(tmp_path / "audit.log.gz")) == []


def test_an_overlong_line_does_not_stop_the_following(log: Path, follow: Callable[[Path], Follower]) -> None:
    follower = follow(log)
    append(log, "x" * (2 * MAX_LINE), "new")
    assert polled(follower) == ["new"]


def test_a_log_that_becomes_a_directory_is_said(log: Path, follow: Callable[[Path], Follower]) -> None:
    follower = follow(log)
    log.unlink()
    log.mkdir()
    with pytest.raises(CheckError, match="not a regular file"):
        list(follower.poll())

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading answers of HTTP/1.1."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.http1 import (
    CHUNKED,
    UNTIL_CLOSE,
    Chunks,
    MalformedAnswer,
    joined,
    parse_head,
)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", (200, 5, True)),
        (b"HTTP/1.1 200 OK\r\ncontent-length:5\r\nConnection: Close", (200, 5, False)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5", (200, 5, False)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive", (200, 5, True)),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: chunked", (200, CHUNKED, True)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 5", (200, CHUNKED, True)),
        (b"HTTP/1.1 200 OK\r\nX: y", (200, UNTIL_CLOSE, False)),
        (b"HTTP/1.1 204 No Content", (204, 0, True)),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99", (304, 0, True)),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>", (103, 0, True)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5", (200, 5, True)),
    ],
)
def test_an_answer_says_how_it_ends(block: bytes, expected: tuple[int, int, bool]) -> None:
    head = parse_head(block)
    assert (head.status, head.length, head.keep_alive) == expected


def test_headers_that_matter_are_read_as_sent() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\r\nX-Trace-ID:  tr_AbC \r\nContent-Type: Text/Event-Stream; charset=utf-8\r\nContent-Length: 0")
    assert (head.trace_id, head.event_stream, head.retry_after) == ("tr_AbC", True, None)
    head = parse_head(b"HTTP/1.1 429 x\r\nRetry-After: Sat, 21 Nov 2026 11:00:00 GMT\r\nContent-Length: 0")
    assert (head.retry_after, head.date) == ("Sat, 21 Nov 2026 11:00:00 GMT", None)


def test_a_wait_until_a_date_is_read_with_when_it_was_said() -> None:
    until = b"Retry-After: Sat, 21 Nov 2026 11:00:00 GMT\r\nContent-Length: 0"
    for second in (b"57", b"58"):
        said = b"Sat, 21 Nov 2026 10:59:%s GMT" % second
        assert parse_head(b"HTTP/1.1 429 x\r\nDATE:%s \r\n%s" % (said, until)).date == said.decode()
        head = parse_head(b"HTTP/1.1 429 x\r\n%s\r\nx-trace-id: tr\r\nDate: %s" % (until, said))
        assert (head.date, head.trace_id) == (said.decode(), "tr")


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6",
        b"HTTP/2 200 OK",
        b"HTTP/1.1 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 200 OK\r\nContent-Length: five",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
    ],
)
def test_what_is_no_answer_is_refused(block: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        parse_head(block)


CHUNKED_BODY = b"4\r\nWiki\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize("step", [1, 2, 3, 7, len(CHUNKED_BODY)])
def test_chunks_are_joined_however_they_arrive(step: int) -> None:
    chunks = Chunks(keep=1000)
    left = [chunks.feed(CHUNKED_BODY[at : at + step]) for at in range(0, len(CHUNKED_BODY), step)]
    assert left == [-1] * (len(left) - 1) + [0]
    assert bytes(chunks.body) == b"Wiki0123456789"
    assert chunks.size == 14


def test_of_long_chunks_the_end_is_kept_and_what_follows_is_told() -> None:
    chunks = Chunks(keep=4)
    assert chunks.feed(CHUNKED_BODY + b"rest") == 4
    assert (bytes(chunks.body), chunks.size) == (b"6789", 14)


@pytest.mark.parametrize("data", [b"x\r\n", b"-1\r\n", b"1_0\r\n", b"0x5\r\n", b"\r\n", b"2\r\nabc\r\n", b"f" * 20 + b"\r\n", b"1" * 2000])
def test_broken_chunks_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        Chunks(keep=10).feed(data)


def test_plain_chunks_that_are_all_there_are_joined_at_once() -> None:
    assert joined(b"head4\r\nWiki\r\na\r\n0123456789\r\n0\r\n\r\n", 4) == b"Wiki0123456789"
    assert joined(b"0\r\n\r\n", 0) == b""


@pytest.mark.parametrize(
    "data",
    [CHUNKED_BODY, CHUNKED_BODY[:-3], b"4\r\nWiki", b"4\r\nWikis\r\n0\r\n\r\n", b"0\r\n\r\nmore", b"", b"-1\r\n", b"4\r\nWiki\r\n0\r\n"],
)
def test_other_chunks_are_left_to_whom_takes_them_as_they_come(data: bytes) -> None:
    assert joined(data, 0) is None


def test_answers_that_differ_in_their_trace_alone_are_told_apart():
    blocks = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Trace-Id: %b" % trace for trace in (b"one", b"two")]
    assert [parse_head(block).trace_id for block in (*blocks, b"HTTP/1.1 200 OK\r\nContent-Length: 5")] == ["one", "two", None]

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control file is changed whole or not at all, whatever is wrong with it or its disk."""

from __future__ import annotations

import errno
import json
import os
import stat

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos import control_file
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.control_file import ControlFile
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError

ROOT = os.geteuid() == 0


def with_fault(document):
    return {**document, "drop-s3": {"percent": 5}}


def refusal(act):
    with pytest.raises(CheckError) as refused:
        act()
    assert refused.value.action
    return refused.value


def leftovers(path):
    return [other.name for other in path.parent.iterdir() if other != path]


def test_a_change_keeps_mode_and_what_is_unknown(tmp_path):
    path = tmp_path / "chaos.json"
    path.write_text('{"of-another-team": {"x": [1, null]}, "\\u00fc": 1}')
    path.chmod(0o640)
    change = ControlFile(path).update(with_fault)
    assert change.changed
    assert json.loads(path.read_text()) == {"of-another-team": {"x": [1, None]}, "ü": 1, "drop-s3": {"percent": 5}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert leftovers(path) == []


@pytest.mark.skipif(not ROOT, reason="only root can give files away")
def test_root_keeps_the_owner_and_gives_a_new_file_to_the_directorys(tmp_path):
    path = tmp_path / "chaos.json"
    path.write_text("{}")
    os.chown(path, 12345, 23456)
    ControlFile(path).update(with_fault)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)
    path.unlink()
    os.chown(tmp_path, 54321, 65432)
    ControlFile(path).update(with_fault)
    assert (path.stat().st_uid, path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (54321, 65432, 0o644)


def test_no_change_writes_nothing(tmp_path):
    path = tmp_path / "chaos.json"
    path.write_text('{ "drop-s3" : {"percent":5} }')
    inode = path.stat().st_ino
    assert not ControlFile(path).update(with_fault).changed
    assert (path.stat().st_ino, path.read_text()) == (inode, '{ "drop-s3" : {"percent":5} }')


@pytest.mark.parametrize("before", [None, "", ' {\n"a":1 }\n'])
def test_a_text_that_says_the_same_comes_back_byte_for_byte(tmp_path, before):
    path = tmp_path / "chaos.json"
    control = ControlFile(path)
    if before:
        path.write_text(before)
    control.update(with_fault)
    control.update(lambda d: {k: v for k, v in d.items() if k != "drop-s3"}, texts=(before or None,))
    assert (path.read_text() if path.exists() else None) == (before or None)


@pytest.mark.parametrize(
    "garbage",
    [b"", b"{", b"[]", b"null", b'"x"', b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff\xfe", b"[" * 60000, b"{}" + b" " * 70000],
    ids=["empty", "cut", "list", "null", "text", "nan", "twice", "bytes", "deep", "large"],
)
def test_garbage_is_refused_and_left_as_it_is(tmp_path, garbage):
    path = tmp_path / "chaos.json"
    path.write_bytes(garbage)
    fault = refusal(lambda: ControlFile(path).update(with_fault))
    assert fault.reason_code == "control-file-unreadable"
    assert str(path) in fault.reason and "expected" in fault.reason
    assert path.read_bytes() == garbage
    assert leftovers(path) == []


def test_what_is_no_regular_file_is_refused(tmp_path):
    target = tmp_path / "target"
    target.write_text("{}")
    link = tmp_path / "link"
    link.symlink_to(target)
    assert "symbolic link" in refusal(lambda: ControlFile(link).update(with_fault)).reason
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert "no regular file" in refusal(lambda: ControlFile(fifo).update(with_fault)).reason
    assert refusal(lambda: ControlFile(tmp_path).read()).reason_code == "control-file-unreadable"
    assert target.read_text() == "{}"


def test_a_missing_directory_is_named(tmp_path):
    fault = refusal(lambda: ControlFile(tmp_path / "no" / "chaos.json").update(with_fault))
    assert fault.reason_code == "control-file-misplaced"
    assert str(tmp_path / "no") in fault.reason


def test_a_read_only_file_is_refused(tmp_path):
    path = tmp_path / "chaos.json"
    path.write_text("{}")
    path.chmod(0o444)
    fault = refusal(lambda: ControlFile(path).update(with_fault))
    assert (fault.reason_code, path.read_text()) == ("control-file-read-only", "{}")
    assert "0444" in fault.reason and "chmod u+w" in fault.action


def test_a_file_of_another_user_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "chaos.json"
    path.write_text("{}")
    monkeypatch.setattr(control_file.os, "geteuid", lambda: path.stat().st_uid + 1)
    fault = refusal(lambda: ControlFile(path).update(with_fault))
    assert fault.reason_code == "control-file-foreign"
    assert "become_user" in fault.action
    assert (path.read_text(), leftovers(path)) == ("{}", [])


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EDQUOT, "disk-full"),
        (errno.EROFS, "control-file-read-only"),
        (errno.EIO, "control-file-unreadable"),
    ],
)
def test_a_write_that_fails_half_way_leaves_everything_as_it_was(tmp_path, monkeypatch, number, code):
    path = tmp_path / "chaos.json"
    path.write_text("{}")

    def fail(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(control_file.os, "fsync", fail)
    assert refusal(lambda: ControlFile(path).update(with_fault)).reason_code == code
    monkeypatch.undo()
    assert (path.read_text(), leftovers(path)) == ("{}", [])


def test_on_a_full_disk_a_fault_is_taken_back_in_place(tmp_path, monkeypatch):
    path = tmp_path / "chaos.json"
    path.write_text('{"keep": 1, "drop-s3": {"percent": 5, "expires_at": "2026-11-21T11:15:40.521102Z"}}')
    size, real_open = path.stat().st_size, os.open

    def full(name, flags, *mode, **more):
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_open(name, flags, *mode, **more)

    monkeypatch.setattr(control_file.os, "open", full)
    ControlFile(path).update(lambda document: {"keep": document["keep"]}, in_place=True)
    assert json.loads(path.read_text()) == {"keep": 1}
    assert path.stat().st_size == size
    fault = refusal(lambda: ControlFile(path).update(lambda _d: {"long": "x" * 500}, in_place=True))
    assert fault.reason_code == "disk-full"
    assert json.loads(path.read_text()) == {"keep": 1}


def test_another_writer_is_not_written_over(tmp_path):
    path = tmp_path / "chaos.json"
    path.write_text("{}")
    asked = []

    def change(document):
        if not asked:
            path.write_text('{"theirs": 1}')
        asked.append(document)
        return with_fault(document)

    ControlFile(path).update(change)
    assert asked == [{}, {"theirs": 1}]
    assert json.loads(path.read_text()) == {"theirs": 1, "drop-s3": {"percent": 5}}


@pytest.mark.parametrize(
    ("theirs", "code"),
    [('{"theirs": 1, "drop-s3": {"percent": 5}}', None), ('{"theirs": 1}', "control-file-contended")],
    ids=["beside", "over"],
)
def test_another_writer_after_ours_may_add_to_it_and_not_undo_it(tmp_path, monkeypatch, theirs, code):
    path = tmp_path / "chaos.json"
    path.write_text("{}")
    real = ControlFile._renamed

    def followed(control, before, raw):
        done = real(control, before, raw)
        path.write_text(theirs)
        return done

    monkeypatch.setattr(ControlFile, "_renamed", followed)
    if code:
        assert refusal(lambda: ControlFile(path).update(with_fault)).reason_code == code
    else:
        assert ControlFile(path).update(with_fault).after.text == theirs
    assert path.read_text() == theirs


def test_a_writer_that_never_rests_is_told(tmp_path):
    path = tmp_path / "chaos.json"
    counter = iter(range(100))

    def change(document):
        path.write_text(json.dumps({"theirs": next(counter)}))
        return with_fault(document)

    assert refusal(lambda: ControlFile(path).update(change)).reason_code == "control-file-contended"
    assert "drop-s3" not in path.read_text()

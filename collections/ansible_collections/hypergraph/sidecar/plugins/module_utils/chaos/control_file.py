# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chaos control file: read strictly, changed whole or not at all.

A change goes to a temporary file beside it, which takes over owner and mode, is synchronised, and is renamed. What cannot be read is never
written over. Where a fault has to be taken back from a full disk, the file is overwritten in place, in one write that needs no space.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pwd
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import strict_json
from ..faults import CheckError

MAX_BYTES = 65536
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SHUT = (errno.EACCES, errno.EPERM, errno.EROFS)
# Somebody else who changes the file between our reading and our renaming is let go first, so many times.
_TRIES = 5


@dataclass(frozen=True)
class Content:
    """The file at one moment. ``text`` is None where there was none; ``status`` is its stat result."""

    text: str | None = None
    document: dict[str, Any] = field(default_factory=dict)
    status: os.stat_result | None = None

    @property
    def identity(self) -> tuple[int, int, int] | None:
        """What tells this version of the file from another."""
        return (self.status.st_ino, self.status.st_mtime_ns, self.status.st_size) if self.status else None


@dataclass(frozen=True)
class Change:
    """The file before and after."""

    before: Content
    after: Content

    @property
    def changed(self) -> bool:
        """Whether they differ."""
        return self.before.text != self.after.text


def rendered(document: Mapping[str, Any]) -> str:
    """A document as the file holds it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def storage_fault(what: str, path: str | Path, problem: OSError) -> CheckError:
    """The fault that an error of the operating system means for a file: full disk, no permission, missing directory."""
    said = f"{what} {path}: {problem.strerror or problem}"
    if problem.errno in _FULL:
        return CheckError("disk-full", said, "Free space on that file system of the target; nothing was changed.")
    if problem.errno in _SHUT:
        action = "Become its owner (become_user), or make it and its directory writable; nothing was changed."
        return CheckError("control-file-read-only", f"{said}, expected a file and directory this user may write", action)
    if problem.errno == errno.ENOENT:
        action = "Set control_path to the file that the explainer reads (CHAOS_CONTROL_PATH), and create its directory."
        return CheckError("control-file-misplaced", f"{said}, expected an existing directory", action)
    return CheckError("control-file-unreadable", said, "Look at that file on the target; nothing was changed.")


class ControlFile:
    """One control file on this machine."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def read(self) -> Content:
        """What it holds; a missing file holds nothing.

        Raises CheckError where it is no regular file, too large, or anything but one JSON object, and where its directory is missing.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError as problem:
            if not self.path.parent.is_dir():
                raise storage_fault("directory", self.path.parent, problem) from None
            return Content()
        except OSError as problem:
            if problem.errno == errno.ELOOP:
                raise self._unusable("is a symbolic link", "a regular file") from None
            raise storage_fault("control file", self.path, problem) from None
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise self._unusable("is no regular file", "a regular file")
        with os.fdopen(descriptor, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise self._unusable(f"has more than {MAX_BYTES} bytes", "a small JSON object")
        try:
            document = strict_json.loads(raw)
        except ValueError as problem:
            raise self._unusable(f"cannot be parsed: {problem}", "one JSON object of flags") from None
        if not isinstance(document, dict):
            raise self._unusable(f"holds a {type(document).__name__}", "one JSON object of flags")
        return Content(raw.decode("utf-8"), document, status)

    def update(
        self, change: Callable[[dict[str, Any]], dict[str, Any]], *, texts: tuple[str | None, ...] = (), in_place: bool = False
    ) -> Change:
        """Replace the document by what ``change`` makes of it, and read back what is there then.

        Where one of ``texts`` says the same as the new document, that text is written as it is; None is the absent file. With ``in_place``
        a full disk does not hinder a change that makes the file no longer. What somebody else adds meanwhile stays.

        Raises CheckError and leaves the file as it was; but where it was written and then could not be synchronised or read back, or was
        written over, nobody knows but by reading it.
        """
        for _attempt in range(_TRIES):
            before = self.read()
            wanted = change(dict(before.document))
            if wanted == before.document:
                return Change(before, before)
            text = next((text for text in texts if _says(text) == wanted), rendered(wanted))
            if self._written(before, text, in_place):
                after = self.read()
                if after.document != wanted and change(dict(after.document)) != after.document:
                    said = f"control file {self.path} does not hold what was written to it, somebody else changed it meanwhile"
                    raise CheckError("control-file-contended", said, "Find out what else writes the file.")
                return Change(before, after)
        said = f"control file {self.path} was changed by somebody else {_TRIES} times within one write"
        raise CheckError("control-file-contended", said, "Find out what else writes the file.")

    def refuse_unwritable(self, content: Content) -> None:
        """Raise CheckError where the file is not this user's to change: of another owner, or marked read-only."""
        if content.status is None:
            return
        user = os.geteuid()
        if user not in (0, content.status.st_uid):
            said = f"control file {self.path} belongs to {_user(content.status.st_uid)}, this is {_user(user)}"
            action = f"Run as its owner: become_user {_user(content.status.st_uid)}."
            raise CheckError("control-file-foreign", f"{said}; writing it would change its owner", action)
        if not content.status.st_mode & stat.S_IWUSR:
            said = f"control file {self.path} is read-only (mode {stat.S_IMODE(content.status.st_mode):04o})"
            raise CheckError("control-file-read-only", f"{said}, expected one its owner may write", f"chmod u+w {self.path}.")

    def _written(self, before: Content, text: str | None, in_place: bool) -> bool:
        """Whether the text is in place; not, where somebody else was faster. Raises CheckError."""
        self.refuse_unwritable(before)
        try:
            if text is None:
                self.path.unlink()
                _synchronise(self.path.parent)
                return True
            return self._renamed(before, text.encode("utf-8"))
        except OSError as problem:
            if problem.errno in _FULL and in_place and before.status is not None and text is not None:
                with contextlib.suppress(OSError, ValueError):
                    self._overwrite(before.status, text.encode("utf-8"))
                    return True
            raise storage_fault("control file", self.path, problem) from None

    def _renamed(self, before: Content, raw: bytes) -> bool:
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(6)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                # The explainer may run as another user: a new file is the directory's owner's, and readable.
                like = before.status or self.path.parent.stat()
                if os.geteuid() == 0:
                    os.fchown(descriptor, like.st_uid, like.st_gid)
                elif before.status is not None and before.status.st_gid != os.getegid():
                    with contextlib.suppress(PermissionError):
                        os.fchown(descriptor, -1, before.status.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(before.status.st_mode) if before.status else 0o644)
                file.write(raw)
                file.flush()
                os.fsync(descriptor)
            if self._identity() != before.identity:
                temporary.unlink()
                return False
            temporary.replace(self.path)
            _synchronise(self.path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        return True

    def _overwrite(self, status: os.stat_result, raw: bytes) -> None:
        """Write over the file's own blocks, padded with white space, which JSON allows after a document. Raises ValueError if too long."""
        if len(raw) > status.st_size:
            raise ValueError("the file would have to grow")
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.pwrite(descriptor, raw.ljust(status.st_size), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            return Content(status=os.lstat(self.path)).identity
        except FileNotFoundError:
            return None

    def _unusable(self, said: str, expected: str) -> CheckError:
        action = "Correct or remove the file on the target; it was left as it is."
        return CheckError("control-file-unreadable", f"control file {self.path} {said}, expected {expected}", action)


def _says(text: str | None) -> Any:
    return {} if text is None else strict_json.loads(text)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _synchronise(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

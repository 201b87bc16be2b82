"""Seeded defects: what can be broken on purpose, which check must notice, and for what reason.

The catalogue is data, one file each in ``catalog/``. The code of a defect is in the ``faulty_*`` modules beside this one, which replace
a healthy part by one that is broken in a single place. A service is given a ``Defects`` and asks it; the answer also goes on record, so
that a test knows that the defect was really applied.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from lab import timestamps

_PLACE = Path(__file__).parent / "catalog"
STATUSES = ("fail", "inconclusive")


class UnknownDefect(ValueError):
    """No defect has this id; the text lists the ids there are."""


@dataclass(frozen=True)
class Edit:
    """A change of one published document: ``file`` is its path below ``lab/``, ``replace`` a text that it holds exactly once."""

    file: str
    replace: str
    by: str

    def made_in(self, text: str) -> str:
        """The document with the change. Raises ValueError where the text to replace is not there exactly once."""
        if text.count(self.replace) != 1:
            raise ValueError(f"{self.file}: expected once, found {text.count(self.replace)} times: {self.replace!r}")
        return text.replace(self.replace, self.by)


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One way to break the lab. A benign one is a change that every check must let pass.

    A defect of a published document is told whole by its ``edits``; the others are coded in this package.
    """

    id: str
    title: str
    check: str
    breaks: str
    reason_code: str = ""
    status: str = "fail"
    benign: bool = False
    edits: tuple[Edit, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Defect:
        """The defect of a catalogue file. Raises ValueError where it is not well-formed."""
        import yaml

        document = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        known = {f.name for f in fields(cls)}
        if not isinstance(document, dict) or not {"id", "title", "check", "breaks"} <= document.keys() <= known:
            raise ValueError(f"{path}: expected id, title, check, breaks and of {', '.join(sorted(known))} no others")
        edits = tuple(Edit(edit["file"], edit["replace"], edit["with"]) for edit in document.pop("edits", ()))
        defect = cls(**document, edits=edits)
        if defect.id != path.stem or defect.status not in STATUSES or defect.benign == bool(defect.reason_code):
            raise ValueError(
                f"{path}: its id must be its file's name, its status {' or '.join(STATUSES)}, and it has a reason_code unless benign"
            )
        return defect

    @property
    def expectation(self) -> str:
        """What its check should make of it."""
        return "benign, stays pass" if self.benign else f"{self.status}: {self.reason_code}"

    def as_dict(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


class Catalog(dict[str, Defect]):
    """Defects by id, in the order of their checks."""

    def require(self, ids: Iterable[str]) -> None:
        """Raise UnknownDefect for an id that is not in the catalogue."""
        for name in ids:
            if name not in self:
                raise UnknownDefect(f"--defect {name}: no such defect. Known: {', '.join(self)}")


@cache
def load_catalog() -> Catalog:
    """Every defect there is."""
    defects = sorted(map(Defect.read, _PLACE.glob("*.yaml")), key=lambda defect: (defect.benign, defect.check, defect.id))
    return Catalog((defect.id, defect) for defect in defects)


def __getattr__(name: str) -> Catalog:
    # Services know the ids they ask for; only users of the catalogue pay for reading it.
    if name == "CATALOG":
        return load_catalog()
    raise AttributeError(name)


class Defects:
    """The active defects, as one process sees them."""

    def __init__(self, active: frozenset[str], service: str, journal: Path) -> None:
        self._active = active
        self._service = service
        self._journal = journal
        self._noted: set[str] = set()
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._active)

    def active(self, defect: str) -> bool:
        """Whether a defect is seeded, without applying it."""
        return defect in self._active

    def applied(self, defect: str) -> bool:
        """Whether a defect is seeded. Ask it where a yes changes what happens next: the first yes of a process goes on record."""
        if defect not in self._active:
            return False
        with self._lock:
            if defect not in self._noted:
                self._noted.add(defect)
                line = json.dumps({"defect": defect, "service": self._service, "at": timestamps.now()}) + "\n"
                descriptor = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                try:
                    os.write(descriptor, line.encode())
                finally:
                    os.close(descriptor)
        return True

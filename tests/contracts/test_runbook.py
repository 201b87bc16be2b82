"""Every reason code that the library can report is explained in the runbook, and the runbook explains no code that is gone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.running import CHECKOUT

COLLECTION = CHECKOUT / "collections/ansible_collections/hypergraph/sidecar"
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
# Functions whose first argument is a reason code, beside those that take it by keyword.
TAKING_A_CODE = {"CheckError", "CheckInconclusive", "error", "inconclusive", "Shortfall", "Breakdown", "Headline", "NotValidated"}


def reported(path: Path) -> Iterator[str]:
    """The reason codes that stand as literals where a source file reports something."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            places = [keyword.value for keyword in node.keywords if keyword.arg == "reason_code"]
            places += node.args[:2] if name in TAKING_A_CODE else []
            for place in places:
                for literal in ast.walk(place):
                    if isinstance(literal, ast.Constant) and isinstance(literal.value, str) and CODE.fullmatch(literal.value):
                        yield literal.value


def test_every_reason_code_is_in_the_runbook() -> None:
    codes = {code for path in (COLLECTION / "plugins").rglob("*.py") for code in reported(path)}
    explained = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", (COLLECTION / "docs/runbooks/checks.md").read_text()))
    assert len(codes) > 80
    assert codes - explained == set()

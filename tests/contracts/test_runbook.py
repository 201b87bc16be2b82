"""Every reason code that the library can report is explained in the runbook, and the runbook explains no code that is gone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.running import CHECKOUT

COLLECTION = CHECKOUT / "collections/ansible_collections/hypergraph/sidecar"
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
# Functions that take a reason code among their first three arguments, beside those that take it by keyword.
TAKING_A_CODE = {
    "CheckError",
    "CheckInconclusive",
    "WaiverProblem",
    "error",
    "_error",
    "inconclusive",
    "Shortfall",
    "Breakdown",
    "Headline",
    "NotValidated",
    "UnnamedTrace",
}
# Names of constants that hold one.
HOLDING_A_CODE = {"REVERT_FAILED", "_DEFAULT_REASON_CODE"}


def reported(path: Path) -> Iterator[str]:
    """The reason codes that stand as literals where a source file reports something."""
    for node in ast.walk(ast.parse(path.read_text())):
        for place in _places(node):
            for literal in ast.walk(place):
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str) and CODE.fullmatch(literal.value):
                    yield literal.value


def _places(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions in which a node of the syntax tree may hold reason codes."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "reason_code")
        yield from node.args[:3] if name in TAKING_A_CODE else ()
    elif isinstance(node, ast.Dict):
        yield from (value for key, value in zip(node.keys, node.values, strict=True) if getattr(key, "value", None) == "reason_code")
    elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in HOLDING_A_CODE:
        yield node.value


def test_every_reason_code_is_in_the_runbook() -> None:
    codes = {code for path in (COLLECTION / "plugins").rglob("*.py") for code in reported(path)}
    explained = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", (COLLECTION / "docs/runbooks/checks.md").read_text()))
    assert len(codes) > 80
    assert codes - explained == set()

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an OpenAPI document, from a file or an answer, as JSON values within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import strict_json
from . import yaml_json

MAX_BYTES = 2 * 1024 * 1024


def read(path: str) -> bytes:
    """The bytes of a regular file of at most MAX_BYTES. Raises OSError where it cannot be read, ValueError where it is something else."""
    file = Path(path)
    if file.exists() and not file.is_file():
        raise ValueError("it is not a regular file")
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    return content


def parse(content: bytes, *, is_json: bool = False) -> dict[str, Any]:
    """The document as an object of JSON values. Raises ValueError with a one-line reason.

    Without ``is_json`` it may be YAML or JSON, which differ where JSON escapes characters in ways that YAML 1.1 parsers do not know.
    """
    document = _json(content) if is_json else _yaml_or_json(content)
    if not isinstance(document, dict):
        raise ValueError(f"it is {_kind(document)}, expected an object with openapi, info and paths")
    return document


def _json(content: bytes) -> Any:
    document = strict_json.loads(content)
    _check_bounds(document)
    return document


def _yaml_or_json(content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError(f"it is not UTF-8: byte {problem.start} is 0x{content[problem.start]:02x}") from None
    if text.lstrip().startswith("{"):
        try:
            document = strict_json.loads(text)
        except ValueError:
            return yaml_json.loads(text)
        _check_bounds(document)
        return document
    return yaml_json.loads(text)


def _check_bounds(document: Any) -> None:
    """What yaml_json checks while it builds: levels and number of values. Raises ValueError."""
    level, values, depth = [document], 0, 0
    while level:
        values += len(level)
        if values > yaml_json.MAX_VALUES:
            raise ValueError(f"more than {yaml_json.MAX_VALUES} values")
        holders = [value for value in level if isinstance(value, (dict, list))]
        if holders and depth == yaml_json.MAX_DEPTH:
            raise ValueError(f"nested deeper than {yaml_json.MAX_DEPTH} levels")
        depth += 1
        level = [child for value in holders for child in (value.values() if isinstance(value, dict) else value)]


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"

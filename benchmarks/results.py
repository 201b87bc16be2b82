"""benchmarks/RESULTS.md: one section a benchmark, each replaced by the benchmark's own last run."""

from __future__ import annotations

import os
import platform
import re
import statistics
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = "# What it costs\n\nEach section is written by its benchmark, on the machine that it names.\n"


def write_section(name: str, body: str, file: Path = RESULTS) -> None:
    """Replace the section of a benchmark, or add it; sections are in the order of their names."""
    text = file.read_text(encoding="utf-8") if file.exists() else HEAD
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    sections = {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}
    sections[name] = body.strip()
    whole = head.rstrip() + "\n" + "".join(f"\n## {title}\n\n{sections[title]}\n" for title in sorted(sections))
    handle, scratch = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as written:
        written.write(whole)
    Path(scratch).chmod(0o644)
    Path(scratch).replace(file)


def machine() -> str:
    """What it is measured on, when, and how much else runs there: with others beside, seconds are longer than they need be."""
    day = datetime.now(UTC).date().isoformat()
    load = f"load average {os.getloadavg()[0]:.1f} at the start"
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}, {day}, {load}"


def spread(values: Sequence[float], digits: int) -> str:
    """Median with the least and the greatest."""
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f}-{max(values):.{digits}f}]"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; the first column is text, the others are figures."""
    lines = [head, ["---", *("---:" for _column in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

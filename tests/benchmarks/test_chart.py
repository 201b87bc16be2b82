"""The benchmark of charts runs, refuses to time what was not done, and keeps the sections of other benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import chart
from benchmarks.generated_chart import OBJECTS_PER_SERVICE, write_chart
from benchmarks.results import spread, write_section


def test_a_section_replaces_its_own_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    write_section("load", "### first\n\n1", file)
    write_section("chart", "2", file)
    write_section("load", "### second\n\n3", file)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert text.partition("## chart")[1:] == ("## chart", "\n\n2\n\n## load\n\n### second\n\n3\n")
    assert list(tmp_path.iterdir()) == [file]


def test_a_spread_is_the_median_with_both_ends() -> None:
    assert spread([3.0, 1.0, 2.0], 1) == "2.0 [1.0-3.0]"


def test_a_small_chart_is_timed(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    assert chart.main(["--objects", "17", "--rounds", "1", "--results", str(file)]) == 0
    text = file.read_text(encoding="utf-8")
    assert f"### {2 * OBJECTS_PER_SERVICE} objects" in text
    assert all(f"| {name} |" in text for name in ("helm template", "chart_check", "autoscaling_check"))


def test_what_is_not_done_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(directory: Path, objects: int) -> int:
        count = write_chart(directory, objects)
        service = directory / "templates/service.yaml"
        service.write_text(service.read_text(encoding="utf-8").replace("targetPort: http", "targetPort: web"), encoding="utf-8")
        return count

    monkeypatch.setattr(chart, "write_chart", broken)
    assert chart.main(["--objects", "8", "--rounds", "1", "--results", str(tmp_path / "RESULTS.md")]) == 1
    assert "service" in capsys.readouterr().err
    assert not (tmp_path / "RESULTS.md").exists()

"""The HTML report in a real browser: readable in light and dark, on a desk and a phone, and whole without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import CONTRAST, SIZES, opened
from tests.conftest import Lab


@pytest.fixture(scope="module")
def reports(healthy_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report with everything green and one with everything else."""
    green = healthy_lab.verify(tmp_path_factory.mktemp("green"))
    assert green.returncode == 0, green.output
    mixed = healthy_lab.verify(tmp_path_factory.mktemp("mixed"), "-e", '{"sidecar_tokens": [], "sidecar_audit_path": "/nowhere/audit.log"}')
    return {"open": green.directory / "report.html", "closed": mixed.directory / "report.html"}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("gate", ["open", "closed"])
def test_report_is_readable(gate: str, scheme: str, size: str, browser: Browser, reports: dict[str, Path]) -> None:
    page, noticed = opened(browser, reports[gate], scheme, size)
    assert noticed == [reports[gate].as_uri()], "the report asks for something besides itself"
    assert gate in page.inner_text("h1, header").lower()
    for details in page.query_selector_all("details:not([open]) > summary"):
        details.click()
    width = SIZES[size][0]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    assert page.evaluate(CONTRAST) == []
    page.close()


def test_the_two_schemes_differ(browser: Browser, reports: dict[str, Path]) -> None:
    colours = {
        opened(browser, reports["open"], scheme, "desk")[0].evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert len(colours) == 2


def test_every_link_within_the_report_leads_somewhere(browser: Browser, reports: dict[str, Path]) -> None:
    page, _noticed = opened(browser, reports["closed"], "light", "desk")
    targets = page.eval_on_selector_all("a[href^='#']", "links => links.map(link => link.getAttribute('href').slice(1))")
    assert targets
    assert [target for target in targets if not page.evaluate("id => !!document.getElementById(id)", target)] == []

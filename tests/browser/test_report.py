"""The HTML report in a real browser: readable in light and dark, on a desk and a phone, and whole without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import Lab

# Without them the browser calls home at every start.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]
SIZES = {"desk": (1280, 900), "phone": (380, 780)}
# WCAG 2.2, success criterion 1.4.3: contrast of text against what is behind it. Evaluated in the page, where styles are resolved.
CONTRAST = """() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
    if (!own || node.closest('svg') || !node.offsetParent) continue;
    const [a, b] = [luminance(parse(getComputedStyle(node).color)), luminance(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${node.className} ${node.textContent.trim().slice(0, 40)}`);
  }
  return low;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "no chromium on PATH: install Debian's package chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield running
        running.close()


@pytest.fixture(scope="module")
def reports(healthy_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report with everything green and one with everything else."""
    green = healthy_lab.verify(tmp_path_factory.mktemp("green"))
    assert green.returncode == 0, green.output
    mixed = healthy_lab.verify(tmp_path_factory.mktemp("mixed"), "-e", '{"sidecar_tokens": [], "sidecar_audit_path": "/nowhere/audit.log"}')
    return {"open": green.directory / "report.html", "closed": mixed.directory / "report.html"}


def opened(browser: Browser, report: Path, scheme: str, size: str) -> tuple[Page, list[str]]:
    """The page, with every request it made and every complaint of the browser."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    noticed: list[str] = []
    page.on("request", lambda request: noticed.append(request.url))
    page.on("console", lambda message: noticed.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: noticed.append(f"error: {error}"))
    page.goto(report.as_uri())
    return page, noticed


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

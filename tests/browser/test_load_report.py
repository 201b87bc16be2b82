"""A report with load runs in a real browser: charts that fit and are read in light and dark, on a desk and a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.telling import told
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import html
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.synthetic import Stretch, generator, summary
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import TEMPLATES, registered, report
from tests.browser.pages import CONTRAST, SIZES, opened

WARMUP = Stretch("warmup", "warmup", 10)
SLOW_PROBLEM = "its process used 97% of a processor, expected at most 85%: use more generators or a lower load"
RUNS = {
    "errors": summary(
        WARMUP,
        Stretch("before", duration_s=40),
        Stretch("during", duration_s=40, slower=3, errors={"status_5xx": 0.1, "timeout": 0.05}),
        Stretch("after", duration_s=40),
    ),
    "tail": summary(WARMUP, Stretch(duration_s=90, tail=0.08), generators=[generator(healthy=False, problems=[SLOW_PROBLEM])]),
    "interrupted": summary(WARMUP, Stretch(duration_s=600), ended_s=40.0, interrupted="SIGTERM"),
    "soak": summary(*(Stretch(f"segment-{number:02}", duration_s=20, rate_per_s=10) for number in range(40))),
}
# WCAG 2.2, success criteria 1.4.3 and 1.4.11: text of a chart against its card, and the lines and marks that carry meaning.
CHART_CONTRAST = """() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ratio = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const low = [];
  for (const svg of document.querySelectorAll('svg.latency, svg.course')) {
    const behind = [parse(getComputedStyle(svg.closest('.card')).backgroundColor)];
    for (const band of svg.querySelectorAll('.band')) {
      const fill = getComputedStyle(band).fill;
      if (fill !== 'none') behind.push(parse(fill));
    }
    const check = (node, colour, least) => {
      const worst = Math.min(...behind.map(back => ratio(parse(colour), back)));
      if (worst < least) low.push(`${worst.toFixed(2)} ${node.tagName} ${node.getAttribute('class')}`);
    };
    for (const text of svg.querySelectorAll('text')) check(text, getComputedStyle(text).fill, 4.5);
    for (const line of svg.querySelectorAll('polyline, line:not(.rule), circle:not(.alone)')) check(line, getComputedStyle(line).stroke, 3);
    for (const bar of svg.querySelectorAll('rect.failed')) check(bar, getComputedStyle(bar).fill, 3);
    for (const bar of svg.querySelectorAll('rect.slow')) check(bar, getComputedStyle(bar).stroke, 3);
  }
  return low;
}"""
# Text of a chart that leaves its frame would be cut off.
CUT_OFF = """() => [...document.querySelectorAll('svg.latency text, svg.course text')].filter(text => {
  const own = text.getBoundingClientRect(), frame = text.ownerSVGElement.getBoundingClientRect();
  return own.left < frame.left - 1 || own.right > frame.right + 1 || own.top < frame.top - 1 || own.bottom > frame.bottom + 1;
}).map(text => text.textContent)"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("loads")
    written = {}
    for name, document in RUNS.items():
        verdict = Verdict("slo_adherence", host="probe")
        verdict.expect("objectives are met", False, reason_code="slo-missed")
        verdict.examine("requests", 1)
        verdict.record(load=told(document))
        written[name] = directory / f"{name}.html"
        written[name].write_text(html.render(report(registered(verdict.to_dict())), TEMPLATES), "utf-8")
    return written


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", RUNS)
def test_charts_are_readable(name: str, scheme: str, size: str, browser: Browser, reports: dict[str, Path]) -> None:
    page, noticed = opened(browser, reports[name], scheme, size)
    assert noticed == [reports[name].as_uri()], "the report asks for something besides itself"
    for details in page.query_selector_all("details:not([open]) > summary"):
        details.click()
    assert page.locator("svg.course").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], "the page scrolls sideways"
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(CHART_CONTRAST) == []
    assert page.evaluate(CUT_OFF) == []
    page.close()

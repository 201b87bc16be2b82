"""A report with load runs in a real browser: charts that fit and are read in light and dark, on a desk and a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.telling import told
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import html
from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak import curves, record, telling
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.synthetic import Stretch, generator, summary
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import TEMPLATES, registered, report
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.soak.soaked import soak
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
  for (const svg of document.querySelectorAll('svg.latency, svg.course, svg.soak')) {
    const behind = [parse(getComputedStyle(svg.closest('.card')).backgroundColor)];
    for (const band of svg.querySelectorAll('.band, .settling')) {
      const fill = getComputedStyle(band).fill;
      if (fill !== 'none') behind.push(parse(fill));
    }
    const check = (node, colour, least) => {
      const worst = Math.min(...behind.map(back => ratio(parse(colour), back)));
      if (worst < least) low.push(`${worst.toFixed(2)} ${node.tagName} ${node.getAttribute('class')}`);
    };
    for (const text of svg.querySelectorAll('text')) check(text, getComputedStyle(text).fill, 4.5);
    const lines = svg.querySelectorAll('polyline, line:not(.rule), circle:not(.alone):not(.point)');
    for (const line of lines) check(line, getComputedStyle(line).stroke, 3);
    for (const dot of svg.querySelectorAll('circle.point')) check(dot, getComputedStyle(dot).fill, 3);
    for (const bar of svg.querySelectorAll('rect.failed')) check(bar, getComputedStyle(bar).fill, 3);
    for (const bar of svg.querySelectorAll('rect.slow')) check(bar, getComputedStyle(bar).stroke, 3);
  }
  return low;
}"""
# Text of a chart that leaves its frame would be cut off.
CUT_OFF = """() => [...document.querySelectorAll('svg.latency text, svg.course text, svg.soak text')].filter(text => {
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


@pytest.fixture(scope="module")
def soak_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a soak with a leak, and with a segment that is not whole."""
    directory = soak(tmp_path_factory.mktemp("soaks") / "night", memory=lambda sample: 50e6 + 1.5e6 * sample + 1e5 * (sample % 3))
    (directory / "0004/one.json").unlink()
    plan = record.plan_in(directory)
    segments = record.segments_in(directory, plan)
    driven = curves.together([segment for segment in segments if segment.whole])
    found = curves.curves(driven, 600.0, {"p95_ms": 0.2, "errors": 0.01, "memory_bytes": 0.1, "queue_lag_s": 2.0})
    verdict = Verdict("slo_adherence", host="controller")
    verdict.expect("nothing grew", False, reason_code="soak-memory-rises")
    verdict.record(soak=telling.evidence(plan, segments, driven, found, found, 0.95))
    page = directory / "report.html"
    page.write_text(html.render(report(registered(verdict.to_dict())), TEMPLATES), "utf-8")
    return page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_curves_of_a_soak_are_readable(scheme: str, size: str, browser: Browser, soak_report: Path) -> None:
    page, noticed = opened(browser, soak_report, scheme, size)
    assert noticed == [soak_report.as_uri()], "the report asks for something besides itself"
    assert page.locator("svg.soak").count() == 4
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], "the page scrolls sideways"
    assert [page.evaluate(script) for script in (CONTRAST, CHART_CONTRAST, CUT_OFF)] == [[], [], []]
    page.close()


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

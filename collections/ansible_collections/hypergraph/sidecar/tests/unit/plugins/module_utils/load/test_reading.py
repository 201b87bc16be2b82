# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.reading import read, validated
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.summaries import steady, summary, written

SCHEMAS = Path(__file__).parents[5] / "docs/schemas"
WHOLE = summary({"chat": {"steady": steady(1, 20, failed=0.05)}, "sentence": {"steady": steady(2, 20, slo_ms=2000)}})


def changed(path, value):
    document = copy.deepcopy(WHOLE)
    *way, last = path
    part = document
    for key in way:
        part = part[key]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return document


def test_a_summary_is_read_as_it_was_written(tmp_path):
    (path,) = written(tmp_path, WHOLE)
    assert read(path) == WHOLE


CHAT = ("classes", "chat", "steady")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("schema",), "load-summary-2", "schema is 'load-summary-2', expected 'load-summary-1'"),
        (("run",), ..., "run is absent"),
        (("run", "duration_s"), "130", "run.duration_s is '130', expected a finite number"),
        (("run", "started_at"), "yesterday", "run.started_at is 'yesterday', expected a time in UTC"),
        (("run", "interrupted"), False, "run.interrupted is False, expected a text or null"),
        (("plan", "phases", 1, "concurrency"), -1, "plan.phases\\[1\\].concurrency is -1"),
        (("plan", "phases", 1, "name"), "warmup", "plan.phases is empty, or has a name twice"),
        (("plan", "slo_ms"), {"chat": 500.0}, "lacks a class measured"),
        (("classes", "image"), {}, "classes is about 'image'"),
        (
            ("classes", "chat", "rush"),
            WHOLE["classes"]["chat"]["steady"],
            "classes.chat is about 'rush', expected one of 'warmup'",
        ),
        ((*CHAT, "count"), 401, "classes.chat.steady.count is 401, expected ok and errors together, which is 400"),
        ((*CHAT, "exceeding"), 399, "exceeding is 399, expected the sum of batches.exceeding"),
        ((*CHAT, "errors"), {"timeout": 1}, "expected ok and errors together"),
        ((*CHAT, "batches", "count"), [400], "lists of different lengths"),
        ((*CHAT, "batches", "width_s"), 0, "width_s is 0, expected more than 0"),
        ((*CHAT, "histogram", "buckets"), [], "histogram is not one: count is"),
        ((*CHAT, "latency_ms", "p95"), "slow", "latency_ms.p95 is 'slow', expected a finite number or null"),
        ((*CHAT, "intervals_ms", "p95"), [1.0], "expected two of a number or null or null"),
        (("series", "chat", "p50_ms"), [1.0], "series.chat is of lists of different lengths"),
        (("generators",), [], "generators is empty"),
        (("generators", 0, "healthy"), "false", "generators\\[0\\].healthy is 'false', expected true or false"),
        (("status_codes",), [200], "status_codes is \\[200\\], expected an object"),
    ],
)
def test_what_does_not_fit_or_add_up_is_an_error_that_names_it(tmp_path, path, value, told):
    (name,) = written(tmp_path, changed(path, value))
    with pytest.raises(CheckError, match=told) as fault:
        read(name)
    assert fault.value.reason_code == "summary-malformed"
    assert fault.value.reason.startswith(name)
    assert "summary.json" in fault.value.action


def test_errors_that_were_counted_as_fast_do_not_add_up():
    """Exceeding holds all errors; a generator that left them out made its result look better than it is."""
    document = copy.deepcopy(WHOLE)
    chat = document["classes"]["chat"]["steady"]
    failed = sum(chat["errors"].values())
    chat["exceeding"] = failed - 1
    chat["batches"]["exceeding"] = [failed - 1, *[0] * 19]
    with pytest.raises(CheckError, match="since errors exceed"):
        validated(document, "it")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"schema": NaN}', '{"run": 1, "run": 2}', "\\ufeff{}"])
def test_what_is_no_summary_is_an_error(tmp_path, content):
    path = tmp_path / "summary.json"
    path.write_text(content)
    with pytest.raises(CheckError, match=str(path)):
        read(str(path))


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with pytest.raises(CheckError, match="absent.json: no such file or directory, expected the summary of a load run"):
        read(str(tmp_path / "absent.json"))


def test_the_published_schema_agrees():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((SCHEMAS / "load-summary-1.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert list(validator.iter_errors(WHOLE)) == []
    for path, value in ((("run",), ...), (("run", "duration_s"), "130"), (("generators",), []), ((*CHAT, "count"), -1)):
        assert list(validator.iter_errors(changed(path, value))), path

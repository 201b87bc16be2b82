"""Settings: text in, typed values out, and nothing secret shown."""

from __future__ import annotations

import json
import random
import statistics
from pathlib import Path

import pytest

from lab.latency import Distribution
from lab.settings import BadSetting, Identity, Settings, checked, published

STATE = Path("/state")
TOKENS = json.dumps({"t" * 40: {"tenant_id": "a", "subject": "s", "scopes": ["traces:read"]}})


def test_defaults_lie_under_the_state_directory() -> None:
    settings = Settings.read({}, STATE)
    places = {settings.STATUS_JSON_PATH, settings.AUDIT_LOG_PATH, settings.CHAOS_CONTROL_PATH}
    assert all(place.is_relative_to(STATE) for place in places)
    assert settings.GRAPH_STORE_URI == "file:///state/hif/graphs"


def test_values_are_typed() -> None:
    given = {"AUTH_TOKENS_JSON": TOKENS, "ENABLE_OTEL": "0", "QUEUE_LEASE_SECONDS": "1.5", "LLM_MODELS": "a, b"}
    settings = Settings.read(given, STATE)
    assert {"t" * 40: Identity("a", "s", frozenset({"traces:read"}))} == settings.AUTH_TOKENS_JSON
    assert (settings.ENABLE_OTEL, settings.QUEUE_LEASE_SECONDS, settings.LLM_MODELS) == (False, 1.5, ("a", "b"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("AUTH_MODE", "open"),
        ("AUTH_TOKENS_JSON", "[]"),
        ("AUTH_TOKENS_JSON", '{"secret-token": {"tenant_id": "a", "scopes": ["admin"]}}'),
        ("AUTH_TOKENS_JSON", '{"secret-token": {"scopes": []}}'),
        ("STATUS_JSON_PATH", "relative.json"),
        ("GRAPH_STORE_URI", "ftp://host/x"),
        ("GRAPH_STORE_URI", "file://host/x"),
        ("GRAPH_STORE_URI", "s3:///x"),
        ("LLM_PROXY_URL", "localhost:80"),
        ("EXPLAINER_WORKERS", "0"),
        ("EXPLAINER_WORKERS", "²"),
        ("QUEUE_LEASE_SECONDS", "nan"),
        ("TRACE_TTL_SECONDS", "-1"),
        ("LLM_MODELS", " , "),
        ("LOG_LEVEL", "info"),
    ],
)
def test_bad_value_is_named_without_showing_secrets(name: str, text: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}.*correct --set {name}") as refused:
        Settings.read({name: text}, STATE)
    assert "secret-token" not in str(refused.value)


def test_unknown_name_lists_what_is_known() -> None:
    with pytest.raises(BadSetting, match=r"did you mean LOG_LEVEL\?.*AUDIT_ENABLED.*WEBHOOK_ATTEMPTS"):
        checked({"LOGLEVEL": "INFO"})


def test_secrets_are_not_published() -> None:
    given = {"AUTH_TOKENS_JSON": TOKENS, "LLM_API_KEY": "k", "AWS_SECRET_ACCESS_KEY": "k", "LOG_LEVEL": "DEBUG"}
    assert published(given) == {"LOG_LEVEL": "DEBUG"}


def test_every_setting_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "lab/README.md").read_text()
    assert [name for name in Settings.known() if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("20", 0.02, 0.02), ("uniform:10-30", 0.01, 0.03), ("lognormal:20,40", 0.0, 10.0)],
)
def test_distributions(text: str, low: float, high: float) -> None:
    source = random.Random(7)
    drawn = [Distribution.parse(text).sample(source) for _ in range(4000)]
    assert low <= min(drawn) <= max(drawn) <= high
    assert statistics.median(drawn) == pytest.approx(0.02, rel=0.05)


def test_lognormal_has_its_p95() -> None:
    source = random.Random(7)
    drawn = sorted(Distribution.parse("lognormal:20,40").sample(source) for _ in range(8000))
    assert drawn[7600] == pytest.approx(0.04, rel=0.08)


@pytest.mark.parametrize("text", ["", "-1", "uniform:5", "uniform:9-1", "lognormal:0,5", "lognormal:9,1", "pareto:1,2"])
def test_bad_distribution_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Distribution.parse(text)

"""Every setting of the lab, by the name of the environment variable that carries it to the services.

``up --set KEY=VALUE`` is the only way in: what the caller's shell happens to export is not read, AWS credentials excepted.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self, get_type_hints
from urllib.parse import urlsplit

from lab.latency import Distribution

SCOPES = frozenset({"traces:write", "traces:read"})
# What boto3 reads itself; handed on from the caller's environment where --set does not give it.
AWS_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION")


class BadSetting(ValueError):
    """A setting that is unknown or cannot be what it is set to; the text names it, the expectation and the remedy."""


@dataclass(frozen=True)
class Identity:
    """Whom a bearer token speaks for."""

    tenant_id: str
    subject: str
    scopes: frozenset[str]


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("expected 0 or 1")
    return text == "1"


def _one_of(*choices: str) -> Callable[[str], str]:
    def choose(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected {' or '.join(choices)}")
        return text

    return choose


def _whole(minimum: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < minimum:
            raise ValueError(f"expected a whole number of at least {minimum}")
        return int(text)

    return read


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e7:
        raise ValueError("expected a number of seconds above 0")
    return value


def _path(text: str) -> Path:
    if not Path(text).is_absolute():
        raise ValueError("expected an absolute path")
    return Path(text)


def _url(text: str) -> str:
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected an address such as http://127.0.0.1:8000/v1")
    return text.rstrip("/")


def _graph_uri(text: str) -> str:
    parts = urlsplit(text)
    if not (parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")) and not (parts.scheme == "s3" and parts.netloc):
        raise ValueError("expected file:///absolute/path or s3://bucket/prefix")
    return text.rstrip("/")


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise ValueError("expected names separated by commas")
    return names


def _tokens(text: str) -> Mapping[str, Identity]:
    try:
        document = json.loads(text or "{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ValueError('expected a JSON object {"token": {"tenant_id": ..., "subject": ..., "scopes": [...]}}')
    return {token: _identity(position, entry) for position, (token, entry) in enumerate(document.items(), start=1)}


def _ports(text: str) -> Mapping[str, int]:
    ports: Mapping[str, int] = json.loads(text or "{}")
    return ports


def _ids(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def _identity(position: int, entry: Any) -> Identity:
    tenant = entry.get("tenant_id") if isinstance(entry, dict) else None
    scopes = entry.get("scopes") if isinstance(entry, dict) else None
    if not isinstance(tenant, str) or not tenant or not isinstance(scopes, list) or not SCOPES.issuperset(map(str, scopes)):
        raise ValueError(f"entry {position} needs a tenant_id and scopes out of {', '.join(sorted(SCOPES))}")
    return Identity(tenant, str(entry.get("subject") or f"{tenant}-{position}"), frozenset(scopes))


@dataclass(frozen=True)
class Setting:
    """A setting: how its text is read, what it is by default, what it means. Internal ones are not for ``--set``."""

    read: Callable[[str], Any]
    default: str
    meaning: str
    secret: bool = False
    internal: bool = False


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one lab, read and checked. A default of ``{state}/...`` lies under the state directory."""

    AUTH_MODE: Annotated[
        str, Setting(_one_of("static", "none"), "static", "`static` asks for a token, `none` lets everybody in as one tenant")
    ]
    AUTH_TOKENS_JSON: Annotated[
        Mapping[str, Identity],
        Setting(_tokens, "", "JSON object token → {tenant_id, subject, scopes}; fresh random tokens by default", secret=True),
    ]
    STATUS_BACKEND: Annotated[str, Setting(_one_of("json", "ddb"), "json", "where trace records are kept: a JSON file or DynamoDB")]
    STATUS_JSON_PATH: Annotated[Path, Setting(_path, "{state}/hif/status.json", "file of the json backend")]
    STATUS_JSON_MAX_RECORDS: Annotated[int, Setting(_whole(10), "2000", "above it the oldest finished records are dropped from the file")]
    STATUS_DDB_TABLE: Annotated[str, Setting(str, "hypergraph-status", "table of the ddb backend, created where it is missing")]
    GRAPH_STORE_URI: Annotated[
        str, Setting(_graph_uri, "file://{state}/hif/graphs", "where graphs are kept: file:///path or s3://bucket/prefix")
    ]
    AUDIT_ENABLED: Annotated[bool, Setting(_switch, "1", "0: the gateway writes no audit log")]
    AUDIT_LOG_PATH: Annotated[Path, Setting(_path, "{state}/audit/audit.log", "the audit log, JSON lines, mode 0600")]
    ENABLE_OTEL: Annotated[bool, Setting(_switch, "1", "0: no /metrics")]
    LLM_PROXY_URL: Annotated[str, Setting(_url, "", "a real OpenAI-compatible API instead of the lab's own LLM")]
    LLM_API_KEY: Annotated[str, Setting(str, "", "bearer key for LLM_PROXY_URL", secret=True)]
    LLM_MODELS: Annotated[tuple[str, ...], Setting(_names, "gpt-4o-mini,gpt-4o", "models the lab's LLM answers for")]
    LLM_LATENCY_MS: Annotated[Distribution, Setting(Distribution.parse, "lognormal:12,24", "how long the lab's LLM thinks")]
    EXPLAIN_SENTENCE_MS: Annotated[Distribution, Setting(Distribution.parse, "lognormal:120,180", "service time of a sentence explanation")]
    EXPLAIN_TOKEN_MS: Annotated[Distribution, Setting(Distribution.parse, "lognormal:250,370", "service time of a token explanation")]
    EXPLAINER_WORKERS: Annotated[int, Setting(_whole(1), "4", "explanations in progress at once")]
    TRACE_TTL_SECONDS: Annotated[float, Setting(_seconds, "120", "a trace not finished this long after it was accepted expires")]
    QUEUE_LEASE_SECONDS: Annotated[float, Setting(_seconds, "5", "a job whose worker falls silent for so long is given to another")]
    QUEUE_MAX_ATTEMPTS: Annotated[int, Setting(_whole(1), "5", "after so many lost leases a job fails")]
    QUEUE_SOFT_DEPTH: Annotated[int, Setting(_whole(1), "40", "waiting jobs at which the soft rungs of the ladder begin")]
    QUEUE_HARD_DEPTH: Annotated[int, Setting(_whole(2), "200", "waiting jobs at which attaching is refused")]
    QUEUE_SOFT_LAG_SECONDS: Annotated[float, Setting(_seconds, "2", "age of the oldest waiting job at which the soft rungs begin")]
    QUEUE_HARD_LAG_SECONDS: Annotated[float, Setting(_seconds, "10", "age of the oldest waiting job at which attaching is refused")]
    CHAOS_CONTROL_PATH: Annotated[Path, Setting(_path, "{state}/hif/chaos.json", "the chaos control file")]
    WEBHOOK_ATTEMPTS: Annotated[int, Setting(_whole(1), "6", "deliveries tried before a webhook event is given up")]
    WEBHOOK_BACKOFF_SECONDS: Annotated[float, Setting(_seconds, "0.2", "pause before the second delivery, doubled for each further one")]
    LOG_LEVEL: Annotated[str, Setting(_one_of("DEBUG", "INFO", "WARNING"), "INFO", "level of the service logs")]
    SIDECAR_STATE: Annotated[Path, Setting(_path, "{state}", "the state directory", internal=True)]
    SIDECAR_DEFECTS: Annotated[tuple[str, ...], Setting(_ids, "", "active defects", internal=True)]
    SIDECAR_HOP_SECRET: Annotated[str, Setting(str, "", "what the gateway shows to the interceptor", secret=True, internal=True)]
    SIDECAR_PORTS: Annotated[Mapping[str, int], Setting(_ports, "", "port by service", internal=True)]

    @classmethod
    @cache
    def described(cls) -> Mapping[str, Setting]:
        """Every setting by name."""
        hints = get_type_hints(cls, include_extras=True)
        return {field.name: hints[field.name].__metadata__[0] for field in fields(cls)}

    @classmethod
    def known(cls) -> list[str]:
        """Names that ``--set`` takes."""
        return sorted([*(name for name, setting in cls.described().items() if not setting.internal), *AWS_VARIABLES])

    @classmethod
    def read(cls, given: Mapping[str, str], state: Path) -> Self:
        """Settings from text by name, with defaults for the rest. Raises BadSetting."""
        values: dict[str, Any] = {}
        for name, setting in cls.described().items():
            text = given.get(name) or setting.default.replace("{state}", str(state))
            try:
                values[name] = setting.read(text)
            except ValueError as problem:
                shown = "" if setting.secret else f"={text}"
                raise BadSetting(f"{name}{shown}: {problem}; correct --set {name}") from None
        settings = cls(**values)
        for soft, hard in (("QUEUE_SOFT_DEPTH", "QUEUE_HARD_DEPTH"), ("QUEUE_SOFT_LAG_SECONDS", "QUEUE_HARD_LAG_SECONDS")):
            if getattr(settings, soft) >= getattr(settings, hard):
                raise BadSetting(f"{soft} is not below {hard}; the ladder needs room between them")
        return settings

    @classmethod
    def from_environment(cls) -> Self:
        """Settings of a service, as the supervisor handed them over."""
        return cls.read(os.environ, Path(os.environ["SIDECAR_STATE"]))

    def url(self, service: str) -> str:
        """Base URL of a service of this lab."""
        return f"http://127.0.0.1:{self.SIDECAR_PORTS[service]}"


def checked(given: Mapping[str, str]) -> None:
    """Raise BadSetting for a name that is not a setting, listing those that are."""
    for name in given:
        if name not in Settings.known():
            near = difflib.get_close_matches(name, Settings.known(), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise BadSetting(f"--set {name}: unknown setting{hint} Known: {', '.join(Settings.known())}")


def published(given: Mapping[str, str]) -> dict[str, str]:
    """The given settings that may be shown."""
    secret = {name for name, setting in Settings.described().items() if setting.secret}
    secret |= {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    return {name: value for name, value in sorted(given.items()) if name not in secret}

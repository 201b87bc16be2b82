"""What a lab publishes for its users: tokens, the API documents, and lab.json, the one place to look."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from typing import Any

from lab import timestamps
from lab.defects import Defects
from lab.defects.artifacts import publish_artifacts
from lab.process.state_directory import CHECKOUT, StateDirectory, write_private
from lab.settings import AWS_VARIABLES, Settings, published

_CALLERS = (
    ("alpha-writer", "alpha", ("traces:write", "traces:read")),
    ("alpha-reader", "alpha", ("traces:read",)),
    ("alpha-submitter", "alpha", ("traces:write",)),
    ("beta-writer", "beta", ("traces:write", "traces:read")),
)
Token = dict[str, Any]


def tokens_of(state: StateDirectory, settings: Settings) -> list[Token]:
    """The tokens of the lab: those of AUTH_TOKENS_JSON, else random ones that the state directory keeps."""
    if settings.AUTH_TOKENS_JSON:
        return [
            {"name": who.subject, "token": token, "tenant_id": who.tenant_id, "subject": who.subject, "scopes": sorted(who.scopes)}
            for token, who in settings.AUTH_TOKENS_JSON.items()
        ]
    kept = state.path / "tokens.json"
    if not kept.exists():
        fresh = [
            {"name": name, "token": secrets.token_urlsafe(32), "tenant_id": tenant, "subject": name, "scopes": list(scopes)}
            for name, tenant, scopes in _CALLERS
        ]
        write_private(kept, json.dumps(fresh, indent=2) + "\n")
    tokens: list[Token] = json.loads(kept.read_text(encoding="utf-8"))
    return tokens


def tokens_json(tokens: list[Token]) -> str:
    """The tokens as AUTH_TOKENS_JSON takes them."""
    return json.dumps({t["token"]: {name: t[name] for name in ("tenant_id", "subject", "scopes")} for t in tokens})


def artifacts(state: StateDirectory, defects: Defects) -> dict[str, str]:
    """Publish the copies of the API documents and the change document, as they are or as an active defect has them; their paths."""
    sources = {
        "openapi": (CHECKOUT / "lab/api/openapi/hypergraph-api.yaml", state.path / "api/hypergraph-api.yaml"),
        "openapi_released": (CHECKOUT / "lab/api/openapi/released/hypergraph-api.yaml", state.path / "api/released/hypergraph-api.yaml"),
        "change_management": (CHECKOUT / "docs/change-management.md", state.path / "change-management.md"),
    }
    texts = publish_artifacts({name: source.read_text(encoding="utf-8") for name, (source, _) in sources.items()}, defects)
    for name, (_, target) in sources.items():
        write_private(target, texts[name])
    return {name: str(target) for name, (_, target) in sources.items()}


def lab_facts(
    state: StateDirectory, settings: Settings, given: Mapping[str, str], tokens: list[Token], documents: Mapping[str, str]
) -> dict[str, Any]:
    """The content of lab.json (schema ``lab-1``), all but what is known only once the lab runs. What is switched off is left out."""
    urls = {service: settings.url(service) for service in settings.SIDECAR_PORTS}
    paths = {**documents, "chaos_control": str(settings.CHAOS_CONTROL_PATH), "logs": str(state.logs)}
    if settings.AUDIT_ENABLED:
        paths["audit_log"] = str(settings.AUDIT_LOG_PATH)
    if settings.STATUS_BACKEND == "json":
        paths["status_store"] = str(settings.STATUS_JSON_PATH)
    if settings.GRAPH_STORE_URI.startswith("file://"):
        paths["graphs"] = settings.GRAPH_STORE_URI.removeprefix("file://")
    return {
        "schema": "lab-1",
        "state_dir": str(state.path),
        "started_at": timestamps.now(),
        "defects": sorted(settings.SIDECAR_DEFECTS),
        "settings": published(given),
        "urls": {**urls, "llm": settings.LLM_PROXY_URL or urls.get("llm", "")},
        "metrics": {name: f"{urls[name]}/metrics" for name in ("gateway", "explainer")} if settings.ENABLE_OTEL else {},
        "paths": paths,
        "tokens": tokens if settings.AUTH_MODE == "static" else [],
    }


def aws_environment() -> dict[str, str]:
    """AWS variables of the caller, for boto3."""
    return {name: os.environ[name] for name in AWS_VARIABLES if name in os.environ}

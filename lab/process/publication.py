"""What a lab publishes for its users: tokens, the API documents, and lab.json, the one place to look."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from typing import Any

from lab import timestamps
from lab.defects import Defects
from lab.defects.artifacts import CHANGE_MANAGEMENT, publish_artifacts
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


# What is published as copies, below the state directory as below lab/: the API documents, the deployment, the dashboards.
_PUBLISHED = ("api/openapi", "manifests", "dashboards")
_PATHS = {
    "openapi": "api/openapi/hypergraph-api.yaml",
    "openapi_released": "api/openapi/released/hypergraph-api.yaml",
    "change_management": CHANGE_MANAGEMENT,
    "chart": "manifests/helm/hypergraph",
    "argocd": "manifests/argocd",
    "karpenter": "manifests/karpenter",
    "capacity": "manifests/capacity.yaml",
    "dashboards": "dashboards/grafana",
    "alerts": "dashboards/prometheus",
}


def artifacts(state: StateDirectory, defects: Defects) -> dict[str, str]:
    """Publish copies of the documents, as they are or as active defects have them; the paths that lab.json tells."""
    home = CHECKOUT / "lab"
    sources = {
        str(source.relative_to(home)): source for tree in _PUBLISHED for source in sorted((home / tree).rglob("*")) if source.is_file()
    }
    sources[CHANGE_MANAGEMENT] = CHECKOUT / "docs" / CHANGE_MANAGEMENT
    texts = publish_artifacts({name: source.read_text(encoding="utf-8") for name, source in sources.items()}, defects)
    for name, text in texts.items():
        target = state.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_private(target, text)
    for stale in (path for tree in _PUBLISHED for path in (state.path / tree).rglob("*")):
        if stale.is_file() and str(stale.relative_to(state.path)) not in texts:
            stale.unlink()
    return {name: str(state.path / path) for name, path in _PATHS.items() if (state.path / path).exists()}


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

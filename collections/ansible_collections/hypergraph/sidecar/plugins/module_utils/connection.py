# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to an environment: base URL, tokens, TLS, timeouts. Given once, to every module of the action group ``all``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .faults import CheckError

ARGUMENTS: dict[str, dict[str, Any]] = {
    "base_url": {"type": "str", "required": True},
    "tokens": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "token": {"type": "str", "required": True, "no_log": True},
            "tenant_id": {"type": "str", "required": True},
            "scopes": {"type": "list", "elements": "str", "required": True},
            "subject": {"type": "str"},
        },
    },
    "auth_mode": {"type": "str", "choices": ["static", "none"], "default": "static"},
    "ca_path": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 10.0},
    "deadline": {"type": "float", "default": 60.0},
}

# Ansible masks a no_log value wherever it occurs, also inside longer words; a short one would riddle the verdict with asterisks.
MIN_TOKEN_LENGTH = 8
# RFC 6750 section 2.1: b64token. Anything else cannot travel in an Authorization header.
_TOKEN_SHAPE = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True)
class Token:
    """A bearer token with what it is expected to be good for. Its value is kept out of ``repr``."""

    name: str
    value: str = field(repr=False)
    tenant_id: str
    scopes: frozenset[str]
    subject: str = ""

    def has(self, *scopes: str) -> bool:
        """Whether the token carries all these scopes."""
        return self.scopes.issuperset(scopes)


@dataclass(frozen=True)
class Connection:
    """Where an environment answers and as whom to speak. ``timeout`` bounds one request, ``deadline`` a whole check, both in seconds."""

    base_url: str
    tokens: tuple[Token, ...] = ()
    absent_tokens: tuple[str, ...] = ()
    auth_mode: str = "static"
    ca_path: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0
    deadline: float = 60.0

    def token_with(self, *scopes: str, tenant_id: str | None = None) -> Token | None:
        """The first token that carries the scopes, of the tenant if one is named."""
        return next((t for t in self.tokens if t.has(*scopes) and tenant_id in (None, t.tenant_id)), None)

    def tenants(self) -> tuple[str, ...]:
        """The tenants the tokens speak for, in the order given."""
        return tuple(dict.fromkeys(token.tenant_id for token in self.tokens))


def secrets_in(params: Mapping[str, Any]) -> list[str]:
    """Every secret among the connection arguments, for the redactor to learn before anything is said about them."""
    found = [str(item.get("token") or "") for item in params.get("tokens") or () if isinstance(item, Mapping)]
    password = _parts(str(params.get("base_url") or "")).password
    return [secret for secret in (*found, password) if secret]


def connect(params: Mapping[str, Any]) -> Connection:
    """Read and check the connection arguments. Raises CheckError naming the argument, the expectation and the remedy."""
    for name in ("timeout", "deadline"):
        if not params[name] > 0:
            raise CheckError("bad-timeout", f"{name} is {params[name]}, expected more than 0 seconds", f"Set {name} to a positive number.")
    present, absent = _tokens(params["tokens"])
    return Connection(
        base_url=checked_url("base_url", params["base_url"]),
        tokens=present,
        absent_tokens=absent,
        auth_mode=params["auth_mode"],
        ca_path=params["ca_path"],
        validate_certs=params["validate_certs"],
        timeout=params["timeout"],
        deadline=params["deadline"],
    )


def checked_url(argument: str, url: str) -> str:
    """The URL without trailing slash. Raises CheckError where it is not a plain absolute http(s) URL."""
    parts = _parts(url)
    problem = ""
    if parts.scheme not in ("http", "https"):
        problem = f"its scheme is {parts.scheme or 'missing'!r}, expected http or https"
    elif not parts.hostname:
        problem = "it names no host"
    elif parts.username or parts.password:
        problem = "it carries credentials, which belong in tokens"
    elif parts.query or parts.fragment:
        problem = "it has a query or fragment"
    elif any(character.isspace() for character in url):
        problem = "it contains white space"
    if problem:
        shown = f"{parts.scheme}://{parts.hostname}" if parts.hostname else url[:80]
        raise CheckError("bad-url", f"{argument} {shown!r}: {problem}", f"Set {argument} to an address like https://gateway.example.org.")
    return url.rstrip("/")


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it is what checks it
    except ValueError as problem:
        raise CheckError("bad-url", f"the URL cannot be parsed: {problem}", "Correct the address.") from None
    return parts


def _tokens(items: Iterable[Mapping[str, Any]]) -> tuple[tuple[Token, ...], tuple[str, ...]]:
    present: list[Token] = []
    absent: list[str] = []
    for item in items:
        name, value = str(item["name"]), str(item["token"] or "")
        if not value:
            absent.append(name)
            continue
        problem = _token_problem(value, str(item["tenant_id"] or ""))
        if not problem and name in {token.name for token in present}:
            problem = "another token has the same name"
        if problem:
            raise CheckError("bad-token", f"token {name!r}: {problem}", "Correct sidecar_tokens in the environment's inventory or vault.")
        present.append(Token(name, value, str(item["tenant_id"]), frozenset(item["scopes"]), item.get("subject") or ""))
    return tuple(present), tuple(absent)


def _token_problem(value: str, tenant_id: str) -> str:
    if len(value) < MIN_TOKEN_LENGTH:
        return f"it has {len(value)} characters, expected at least {MIN_TOKEN_LENGTH} (a shorter one cannot be masked safely)"
    if not _TOKEN_SHAPE.fullmatch(value):
        return "it has characters that an Authorization header cannot carry, such as a newline or a space"
    if not tenant_id.strip():
        return "its tenant_id is empty"
    return ""

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to an environment: base URL, tokens, TLS, timeouts. Given once, to every module of the action group ``all``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from .faults import CheckError
from .redaction import excerpt

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
_TOKEN_WORD = re.compile(rf"[A-Za-z0-9._~+/-]{{{MIN_TOKEN_LENGTH},}}=*")
# A week; timers of the operating system end somewhere beyond.
MAX_SECONDS = 7 * 24 * 3600


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
    """Every secret among a module's arguments, however ill-formed, for the redactor to learn before anything is said about them.

    These are the values of tokens, and credentials in any URL.
    """
    urls = [text for text in _texts(params) if "://" in text] + [str(params.get("base_url") or "")]
    found = [*_token_values(params.get("tokens")), *(secret for url in urls for secret in _credentials(url))]
    return [secret for secret in dict.fromkeys(found) if secret]


def refuse_short_tokens(params: Mapping[str, Any]) -> None:
    """Raise CheckError for a token that is too short to be masked, before Ansible riddles a module's answer in the attempt."""
    items = params.get("tokens")
    for item in items if isinstance(items, list) else ():
        value = str(item.get("token") or "") if isinstance(item, Mapping) else ""
        if 0 < len(value) < MIN_TOKEN_LENGTH:
            raise _bad_token(str(item.get("name")), _too_short(value))


def connect(params: Mapping[str, Any]) -> Connection:
    """Read and check the connection arguments. Raises CheckError naming the argument, the expectation and the remedy."""
    for name in ("timeout", "deadline"):
        if not 0 < params[name] <= MAX_SECONDS:
            reason = f"{name} is {params[name]}, expected more than 0 and at most {MAX_SECONDS} seconds"
            raise CheckError("bad-timeout", reason, f"Set {name} to a number of seconds.")
    present, absent = _tokens(params["tokens"])
    base_url = checked_url("base_url", params["base_url"])
    if base_url.endswith("/v1"):
        reason = f"base_url {base_url!r}: it ends in /v1, which the paths of the API bring along"
        raise CheckError("bad-url", reason, "Set base_url to the address before /v1.")
    return Connection(
        base_url=base_url,
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
    problem = _url_problem(url)
    if problem:
        userinfo = _userinfo(url)
        shown = excerpt(url.replace(f"{userinfo}@", "") if userinfo else url, 80)
        raise CheckError("bad-url", f"{argument} {shown!r}: {problem}", f"Set {argument} to an address like https://gateway.example.org.")
    return url.rstrip("/")


def _url_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "it cannot be read as a URL"
    if any(character.isspace() or not character.isprintable() for character in url):
        return "it contains white space or control characters"
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return "it does not begin with http:// or https:// and a host"
    if "@" in parts.netloc:
        return "it carries credentials, which belong in tokens"
    if not parts.hostname:
        return "it names no host"
    if not _has_good_port(parts):
        return "its port is not a number from 1 to 65535"
    return "it has a query or fragment" if parts.query or parts.fragment or url.endswith(("?", "#")) else ""


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _userinfo(url: str) -> str:
    """What stands before the last @, also in a URL that is too broken for a parser."""
    return (url.partition("://")[2] or url).rpartition("@")[0]


def _credentials(url: str) -> tuple[str, ...]:
    """What may be secret in a URL: a password, a lone user name, or what stands where a port should after the host was forgotten."""
    userinfo = _userinfo(url)
    if userinfo:
        user, colon, password = userinfo.partition(":")
        found = password if colon else "" if "/" in user else user
    else:
        colon, port = url.partition("://")[2].partition("/")[0].rpartition(":")[1:]
        found = port if colon and not port.isdigit() and not port.endswith("]") else ""
    return found, unquote(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _token_values(tokens: Any) -> Iterator[str]:
    """The values of tokens; where their shape is not as documented, every word that could be one."""
    if isinstance(tokens, Mapping) and "token" in tokens:
        yield str(tokens["token"] or "")
    elif isinstance(tokens, (Mapping, list, tuple)):
        for item in tokens.values() if isinstance(tokens, Mapping) else tokens:
            yield from _token_values(item)
    elif isinstance(tokens, str):
        yield from _TOKEN_WORD.findall(tokens)


def _tokens(items: Iterable[Mapping[str, Any]]) -> tuple[tuple[Token, ...], tuple[str, ...]]:
    present: list[Token] = []
    absent: list[str] = []
    for item in items:
        name, value = str(item["name"]), str(item["token"] or "")
        if not value:
            absent.append(name)
            continue
        token = Token(name, value, str(item["tenant_id"] or ""), frozenset(item["scopes"]), item.get("subject") or "")
        problem = _token_problem(token) or _clash(token, present)
        if problem:
            raise _bad_token(name, problem)
        present.append(token)
    return tuple(present), tuple(absent)


def _token_problem(token: Token) -> str:
    if len(token.value) < MIN_TOKEN_LENGTH:
        return _too_short(token.value)
    if not _TOKEN_SHAPE.fullmatch(token.value):
        return "it has characters that an Authorization header cannot carry, such as a newline or a space"
    if not token.name.strip():
        return "its name is empty"
    return "" if token.tenant_id.strip() else "its tenant_id is empty"


def _clash(token: Token, others: Iterable[Token]) -> str:
    """Two tokens of one name cannot be told apart in a report, two of one value not by the service."""
    for other in others:
        if token.name == other.name:
            return "another token has the same name"
        if token.value == other.value:
            return f"it has the same value as token {other.name!r}"
    return ""


def _too_short(value: str) -> str:
    return f"it has {len(value)} characters, expected at least {MIN_TOKEN_LENGTH} (a shorter one cannot be masked safely)"


def _bad_token(name: str, problem: str) -> CheckError:
    return CheckError("bad-token", f"token {name!r}: {problem}", "Correct sidecar_tokens in the environment's inventory or vault.")

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of compatible change for operations: parameters, bodies, answers, headers, and who may call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .operations import Operation
from .places import Located
from .schema_comparison import Change, SchemaComparison
from .schema_rules import REQUEST, RESPONSE
from .shapes import canonical

_STYLE = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


class OperationPair(NamedTuple):
    """An operation before and after, and what compares their schemas."""

    old: Operation
    new: Operation
    schemas: SchemaComparison


class OperationRule(NamedTuple):
    """A rule with its id and direction."""

    id: str
    direction: str
    find: Callable[[OperationPair], Iterator[tuple[str, str]]]


OPERATION_RULES: list[OperationRule] = []
_Find = Callable[[OperationPair], Iterator[tuple[str, str]]]


def _rule(rule_id: str, direction: str) -> Callable[[_Find], _Find]:
    """Register a rule; it yields the JSON pointer and the detail of each break."""

    def register(find: _Find) -> _Find:
        OPERATION_RULES.append(OperationRule(rule_id, direction, find))
        return find

    return register


@_rule("request-parameter-removed", REQUEST)
def _parameter_removed(pair: OperationPair) -> Iterator[tuple[str, str]]:
    new = _parameters(pair.new)
    for key, parameter in _parameters(pair.old).items():
        if key not in new:
            yield parameter.pointer, f"{_named(parameter)} was taken away"


@_rule("request-parameter-required", REQUEST)
def _parameter_required(pair: OperationPair) -> Iterator[tuple[str, str]]:
    old = _parameters(pair.old)
    for key, parameter in _parameters(pair.new).items():
        if _is_required(parameter) and not (key in old and _is_required(old[key])):
            yield parameter.pointer, f"{_named(parameter)} {'became required' if key in old else 'is new and required'}"


@_rule("request-parameter-serialized-otherwise", REQUEST)
def _parameter_serialized(pair: OperationPair) -> Iterator[tuple[str, str]]:
    for old, new in _common(_parameters(pair.old), _parameters(pair.new)):
        was, now = _serialization(old), _serialization(new)
        if was != now:
            yield old.pointer, f"{_named(old)} was serialized as {was}, is as {now}"


@_rule("request-body-required", REQUEST)
def _body_required(pair: OperationPair) -> Iterator[tuple[str, str]]:
    old, new = pair.old.request_body, pair.new.request_body
    if new is not None and _is_required(new) and not (old is not None and _is_required(old)):
        yield new.pointer, "a request body became required"


@_rule("request-body-removed", REQUEST)
def _body_removed(pair: OperationPair) -> Iterator[tuple[str, str]]:
    if pair.old.request_body is not None and pair.new.request_body is None:
        yield pair.old.request_body.pointer, "the request body was taken away"


@_rule("request-media-type-removed", REQUEST)
def _request_media_type_removed(pair: OperationPair) -> Iterator[tuple[str, str]]:
    if pair.old.request_body is not None and pair.new.request_body is not None:
        yield from _media_types_removed(pair.old.request_body, pair.new.request_body)


@_rule("request-security-tightened", REQUEST)
def _security(pair: OperationPair) -> Iterator[tuple[str, str]]:
    """Each way a client could authorise itself must still suffice: none of the new alternatives may ask for more."""
    new = [_asked(pair.new, alternative) for alternative in pair.new.security or ({},)]
    for alternative in pair.old.security or ({},):
        held = _asked(pair.old, alternative)
        if not any(all(scheme in held and scopes <= held[scheme] for scheme, scopes in asked.items()) for asked in new):
            shown = ", ".join(f"{name} {list(scopes or [])}" for name, scopes in alternative.items()) or "no credentials"
            yield pair.old.place.pointer, f"{shown} no longer suffices"


@_rule("response-status-removed", RESPONSE)
def _status_removed(pair: OperationPair) -> Iterator[tuple[str, str]]:
    for status, answer in pair.old.responses.items():
        if status.startswith("2") and not _counterparts(pair.new, status):
            yield answer.pointer, f"status {status} was taken away"


@_rule("response-media-type-removed", RESPONSE)
def _response_media_type_removed(pair: OperationPair) -> Iterator[tuple[str, str]]:
    for old, new in _answers(pair):
        yield from _media_types_removed(old, new)


@_rule("response-header-removed", RESPONSE)
def _header_removed(pair: OperationPair) -> Iterator[tuple[str, str]]:
    for old, new in _answers(pair):
        kept = _headers(pair.new, new)
        for name, header in _headers(pair.old, old).items():
            if name not in kept:
                yield header.pointer, f"header {name} was taken away"


@_rule("response-header-optional", RESPONSE)
def _header_optional(pair: OperationPair) -> Iterator[tuple[str, str]]:
    for old, new in _answers(pair):
        for before, after in _common(_headers(pair.old, old), _headers(pair.new, new)):
            if _is_required(before) and not _is_required(after):
                yield before.pointer, "the header was always present, now it may be absent"


def schema_changes(pair: OperationPair) -> Iterator[Change]:
    """The breaks inside the schemas that both operations have: of parameters, bodies, answers and their headers."""
    for old, new in _common(_parameters(pair.old), _parameters(pair.new)):
        yield from pair.schemas.changes(_schema(old), _schema(new), REQUEST)
    if pair.old.request_body is not None and pair.new.request_body is not None:
        for old, new in _common(_content(pair.old.request_body), _content(pair.new.request_body)):
            yield from pair.schemas.changes(old.child("schema"), new.child("schema"), REQUEST)
    for before, after in _answers(pair):
        for old, new in _common(_content(before), _content(after)):
            yield from pair.schemas.changes(old.child("schema"), new.child("schema"), RESPONSE)
        for old, new in _common(_headers(pair.old, before), _headers(pair.new, after)):
            yield from pair.schemas.changes(_schema(old), _schema(new), RESPONSE)


def _parameters(operation: Operation) -> dict[tuple[str, str], Located]:
    """The parameters, those in the path known by their position, since clients do not see their names."""
    positions = {name: str(index) for index, name in enumerate(operation.path_parameters)}
    return {
        (place, positions.get(name, name) if place == "path" else name): parameter
        for (place, name), parameter in operation.parameters.items()
    }


def _common(old: Mapping[Any, Located], new: Mapping[Any, Located]) -> Iterator[tuple[Located, Located]]:
    return ((place, new[key]) for key, place in old.items() if key in new)


def _answers(pair: OperationPair) -> Iterator[tuple[Located, Located]]:
    """Each released answer beside each new one that may come in its stead."""
    for status, old in pair.old.responses.items():
        for new in _counterparts(pair.new, status):
            yield old, new


def _counterparts(operation: Operation, status: str) -> list[Located]:
    if status.isdecimal():
        answer = operation.response_to(int(status))
        return [answer] if answer is not None else []
    if status == "default":
        return [answer for name, answer in operation.responses.items() if name == "default"]
    return [answer for name, answer in operation.responses.items() if name[0] == status[0]]


def _media_types_removed(old: Located, new: Located) -> Iterator[tuple[str, str]]:
    kept = _content(new)
    for name, content in _content(old).items():
        if name not in kept:
            yield content.pointer, f"media type {name} was taken away"


def _content(body: Located) -> dict[str, Located]:
    return {name.partition(";")[0].strip().lower(): media for name, media in body.child("content").members()}


def _headers(operation: Operation, answer: Located) -> dict[str, Located]:
    """The documented headers by lower-case name, but Content-Type, which OpenAPI ignores here."""
    found = {name.lower(): operation.followed(header) for name, header in answer.child("headers").members()}
    found.pop("content-type", None)
    return found


def _schema(holder: Located) -> Located:
    """The schema of a parameter or header, which may sit in a content of one media type."""
    contents = list(_content(holder).values())
    return contents[0].child("schema") if contents else holder.child("schema")


def _serialization(parameter: Located) -> str:
    contents = list(_content(parameter))
    if contents:
        return contents[0]
    style = parameter.child("style").value or _STYLE.get(str(parameter.child("in").value), "form")
    explode = parameter.child("explode").value
    return f"{style}{', exploded' if (style == 'form' if explode is None else explode) else ''}"


def _is_required(place: Located) -> bool:
    return place.child("required").value is True


def _named(parameter: Located) -> str:
    return f"{parameter.child('in').value} parameter {parameter.child('name').value}"


def _asked(operation: Operation, alternative: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Scopes by what the scheme is rather than what it is called, so that renaming one changes nothing."""
    schemes = Located(operation.document, "#").child("components").child("securitySchemes")
    asked: dict[str, frozenset[str]] = {}
    for name, scopes in alternative.items():
        scheme = operation.followed(schemes.child(name)).value
        told = {key: value for key, value in scheme.items() if key != "description"} if isinstance(scheme, Mapping) else name
        asked[canonical(told)] = frozenset(scopes) if isinstance(scopes, list) else frozenset()
    return asked

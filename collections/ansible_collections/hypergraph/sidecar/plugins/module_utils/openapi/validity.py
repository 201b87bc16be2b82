# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a document is valid OpenAPI 3.0 or 3.1, and where it is not."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..faults import CheckError
from .places import Located, Unresolvable, follow, is_local, join, places, references

# Findings beyond these say nothing new, and finding them takes time.
MAX_PROBLEMS = 20
# How openapi-spec-validator names an operation in errors that carry no path.
_NAMED_OPERATION = re.compile(r" for '(?P<method>[a-z]+)'(?: operation)? in '(?P<path>[^']+)'")


class Problem(NamedTuple):
    """What is wrong with a document, and the JSON pointer to where."""

    pointer: str
    what: str

    def __str__(self) -> str:
        return f"{self.pointer}: {self.what}"


class NotValidated(CheckError):
    """Whether the document is valid cannot be told."""


def invalidities(document: Mapping[str, Any]) -> list[Problem]:
    """What makes the document no valid OpenAPI, at most 20 findings.

    Looked for in this order, and no further where something was found: references that lead nowhere, schemas that are none, and what
    openapi-spec-validator says beyond that (structure, operation ids that repeat, path parameters that are not described, defaults outside
    of their schema). Raises NotValidated where the document refers to others, or the validator gives up on it.
    """
    for findings in (_lost_references, _malformed_schemas, _found_by_validator):
        found = list(itertools.islice(findings(document), MAX_PROBLEMS))
        if found:
            return found
    return []


def schema_validator(document: Mapping[str, Any]) -> Any:
    """The class that validates values against the document's schemas, as a client reads them."""
    from openapi_schema_validator import OAS30ReadValidator, OAS31Validator

    return OAS30ReadValidator if _version(document) == "3.0" else OAS31Validator


def _lost_references(document: Mapping[str, Any]) -> Iterator[Problem]:
    for place in references(document):
        reference = place.value["$ref"]
        if not is_local(reference):
            raise NotValidated(
                "spec-not-bundled",
                f"{place.pointer} refers to {reference!r}, which is no JSON pointer into the document; other documents are not followed",
                "Bundle the specification into one file whose references are JSON pointers.",
            )
        try:
            follow(document, place)
        except Unresolvable as problem:
            yield Problem(place.pointer, str(problem))


def _malformed_schemas(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Looked for here, since only newer releases of openapi-spec-validator do, and none names the place in the document."""
    validator = schema_validator(document)
    checked = (_malformation(validator, schema) for schema in _root_schemas(document))
    return (problem for problem in checked if problem is not None)


def _malformation(validator: Any, schema: Located) -> Problem | None:
    from jsonschema.exceptions import SchemaError

    try:
        validator.check_schema(schema.value)
    except SchemaError as error:
        return Problem(join(schema.pointer, *error.absolute_path), _one_line(error.message))
    return None


def _root_schemas(document: Mapping[str, Any]) -> Iterator[Located]:
    """The schemas that are not part of another: of parameters, headers and contents, and the named ones."""
    yield from (schema for _name, schema in Located(document, "#").child("components").child("schemas").members())
    for place, names in places(document):
        inside_named = place.pointer.startswith("#/components/schemas/")
        if not names and not inside_named and isinstance(place.value, Mapping) and "schema" in place.value:
            yield place.child("schema")


def _found_by_validator(document: Mapping[str, Any]) -> Iterator[Problem]:
    import openapi_spec_validator

    classes = {"3.0": openapi_spec_validator.OpenAPIV30SpecValidator, "3.1": openapi_spec_validator.OpenAPIV31SpecValidator}
    validator: Any = classes.get(_version(document))
    if validator is None:
        yield Problem("#/openapi", f"is {document.get('openapi')!r}, expected a version {' or '.join(classes)}")
        return

    class Offline(validator):  # type: ignore[misc]
        resolver_handlers: Mapping[str, Any] = {}

    for error in _raised(Offline(document)):
        cause = _cause(error)
        yield Problem(_pointer_of(document, cause), _one_line(cause.message))


def _raised(validator: Any) -> Iterator[Any]:
    """The validator's errors. Where the structure is broken it says so first, and then may stumble over it."""
    errors = validator.iter_errors()
    found = 0
    while True:
        try:
            error = next(errors)
        except StopIteration:
            return
        except RecursionError:
            raise NotValidated(
                "spec-not-validated",
                "openapi-spec-validator recursed without end, as it does on schemas that contain themselves without a property in between",
                "Put a property between the schema and itself, or report the schema to openapi-spec-validator.",
            ) from None
        except (AttributeError, KeyError, TypeError):
            if found:
                return
            raise
        found += 1
        yield error


def _cause(error: Any) -> Any:
    """Of an error about several alternatives, the one that came furthest."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error


def _pointer_of(document: Mapping[str, Any], error: Any) -> str:
    """The pointer to the operation an error names or the schema it was raised for, else the path it carries."""
    operation = _NAMED_OPERATION.search(error.message)
    if operation:
        return join("#", "paths", operation["path"], operation["method"])
    if not error.absolute_path and isinstance(error.schema, Mapping):
        for place, _names in places(document):
            if place.value is error.schema:
                return place.pointer
    return join("#", *error.absolute_path)


def _version(document: Mapping[str, Any]) -> str:
    return ".".join(str(document.get("openapi")).split(".")[:2])


def _one_line(message: str) -> str:
    return " ".join(message.split())[:300]

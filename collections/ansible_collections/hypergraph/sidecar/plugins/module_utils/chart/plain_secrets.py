# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on secrets: none stands in what is rendered, where everyone can read it who may read the release.

No finding quotes a value: it names the place, and how long the value is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..manifests.objects import Object, Path, mapping, mappings, sequence, text
from ..manifests.rules import WARNING, Outcome, Registry
from .containers import HANDLERS, containers
from .references import made_by_operators, references
from .release import Release
from .shell_words import shell_words

RULES = Registry()
# What looks like a credential, whatever it is called. Each takes linear time.
_SHAPES = re.compile(
    r"""-----BEGIN\ [A-Z ]{0,20}PRIVATE\ KEY-----
    |\bAKIA[0-9A-Z]{16}\b
    |\bsk-[A-Za-z0-9_-]{20,}
    |\bgh[pousr]_[A-Za-z0-9]{36}
    |\bgithub_pat_[A-Za-z0-9_]{22,}
    |\bglpat-[A-Za-z0-9_-]{20}
    |\bxox[abprs]-[A-Za-z0-9-]{10,}
    |\bAIza[0-9A-Za-z_-]{35}
    |\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}
    |(?i:\bauthorization["']?[\s:=]{1,4}["']?(?:bearer|basic)\s+["']*)(?=[A-Za-z._~+/-]*[0-9])[A-Za-z0-9._~+/-]{12,}
    |[a-z][a-z0-9+.-]{1,20}://[^\s/:@$]{0,80}:[^\s/@$({<]{3,80}@""",
    re.VERBOSE,
)
# Names whose values are credentials. What only tells of one (its file, its name, how long it lives) ends otherwise.
_NAMES = re.compile(
    r"(?:^|[_.-]|(?<=[a-z])(?=[A-Z]))(?:password|passwd|passphrase|secret|token|api_?key|apikey|private_?key|access_?key|credentials?)$",
    re.IGNORECASE,
)
# After this option a shell is given a script.
_SCRIPT_NEXT = re.compile(r"-[a-z]{0,4}c")
_ASSIGNMENT = re.compile(r"-{0,2}(?P<name>[A-Za-z][\w.-]*)=(?P<value>.*)", re.DOTALL)
# Values that are none: empty, a switch, a number of few digits, a path, a name of an account or a role, and what names a secret elsewhere:
# a variable, a template, or a place of a keeper of secrets (Vault, 1Password, vals, the clouds').
_HARMLESS = re.compile(
    r"\s*|true|false|yes|no|on|off|none|null|\d{1,6}|/.*|file:.*|arn:[a-z-]+:.*|<.*>"
    r"|.*\$[({].*|\$\w+|.*\{\{.*|vault:.*|op://.*|ref\+.*|(?:gcp|aws)?sm://.*|projects/[^/]+/secrets/.*",
    re.IGNORECASE | re.DOTALL,
)


@RULES.rule(
    "secret-in-plain-text",
    "No credential stands in a variable, an argument or a ConfigMap",
    examines="variables, arguments and entries of ConfigMaps",
    source="https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
    fix="Keep it in a Secret that is not of this chart, refer to it by secretKeyRef, and replace it: it has been shown.",
)
def _plain(release: Release) -> Iterator[Outcome]:
    names = {one.name for one in release.of_kind("Secret")} | {one.name for one in references(release) if one.kind == "Secret"}
    told = (*release.demands.existing_objects, *(made for _namespace, made in made_by_operators(release)))
    names |= {one.partition("/")[2] for one in told if one.startswith("Secret/")}
    for one, name, value, path in _texts(release):
        # What is called a secret may be the name of one, with its namespace before it.
        named = bool(_NAMES.search(name)) and not _HARMLESS.fullmatch(value) and value.rpartition("/")[2] not in names
        shaped = bool(_SHAPES.search(value))
        observed = f"{name or 'an argument'} holds a literal value of {len(value)} characters"
        yield Outcome(one, not (named or shaped), "a reference to a Secret", observed, path)


@RULES.rule(
    "secret-rendered",
    "The chart holds no Secret of its own",
    examines="Secrets",
    source="https://kubernetes.io/docs/concepts/security/secrets-good-practices/: base64 is no encryption",
    fix="Let an operator (external-secrets, sealed-secrets) or who keeps the secrets make it, and refer to it by its name.",
    severity=WARNING,
)
def _rendered(release: Release) -> Iterator[Outcome]:
    for secret in release.of_kind("Secret"):
        keys = sorted({key for part in ("data", "stringData") for key, value in mapping(secret.body.get(part)).items() if value})
        # What Kubernetes itself fills in stands empty in the chart.
        yield Outcome(secret, not keys, "no values", f"values of {', '.join(keys)}")


def _texts(release: Release) -> Iterator[tuple[Object, str, str, Path]]:
    """Texts that may be credentials: the object, what it is called there, the text, and where it is."""
    for workload, path, container in containers(release):
        for position, variable in mappings(container.get("env")):
            if isinstance(variable.get("value"), str):
                yield workload.object, str(variable.get("name") or ""), variable["value"], (*path, "env", position)
        for command in _commands(workload.object, path):
            for position, name, value in _arguments([workload.object.at(*place) for place in command]):
                yield workload.object, name, value, command[position]
    for one in release.of_kind("ConfigMap"):
        for key, value in mapping(one.body.get("data")).items():
            if isinstance(value, str):
                yield one, key, value, ("data", key)


def _commands(one: Object, path: Path) -> Iterator[list[Path]]:
    """The commands of the container at the path, each as the places of its words."""
    own = [(*path, part) for part in ("command", "args")]
    for parts in (own, *([(*path, *handler, "exec", "command")] for handler in HANDLERS)):
        yield [(*part, position) for part in parts for position in range(len(sequence(one.at(*part))))]


def _arguments(words: list[Any]) -> Iterator[tuple[int, str, str]]:
    """Position, name and value of each argument; of a script the whole, and the credentials that its words name."""
    for position, word in enumerate(words):
        if not isinstance(word, str):
            continue
        if not (position and _SCRIPT_NEXT.fullmatch(text(words[position - 1]))):
            yield position, *_argument(words, position)
            continue
        yield position, "", word
        for _place, name, value in _arguments(shell_words(word)):
            # What looks like one is found in the whole.
            if _NAMES.search(name) and not _SHAPES.search(value):
                yield position, name, value


def _argument(words: list[Any], position: int) -> tuple[str, str]:
    """Name and value of an argument: of ``--name=value`` or ``name=value``, or of a value that follows ``--name``."""
    word = words[position]
    assignment = _ASSIGNMENT.fullmatch(word)
    if assignment:
        return assignment["name"].replace("-", "_"), assignment["value"]
    if word.startswith("-"):
        return "", word
    before = words[position - 1] if position else ""
    named = isinstance(before, str) and before.startswith("-") and "=" not in before
    return (before.lstrip("-").replace("-", "_") if named else ""), word

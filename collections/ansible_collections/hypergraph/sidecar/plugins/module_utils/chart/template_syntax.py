# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates of Helm (Go's text/template) as trees.

The grammar is that of https://pkg.go.dev/text/template. Only what tells where values go is kept: text between actions is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

_OPEN = re.compile(r"\{\{-?")
_COMMENT = re.compile(r"\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<end>(?:(?<=\s)-)?\}\})
    |(?P<string>"(?:\\.|[^"\\])*"|`[^`]*`)
    |(?P<char>'(?:\\.|[^'\\])+')
    |(?P<mark>:=|[=,|()])
    |(?P<variable>\$\w*)
    |(?P<field>\.\w+)
    |(?P<dot>\.)
    |(?P<number>[+-]?\d[\w.+-]*)
    |(?P<word>\w+)""",
    re.VERBOSE,
)


class NotATemplate(ValueError):
    """The text is none that this grammar covers; the text of the error says where."""


@dataclass(frozen=True)
class Text:
    """A quoted text."""

    value: str


@dataclass(frozen=True)
class Constant:
    """A number, a character, true, false or nil."""

    value: str


@dataclass(frozen=True)
class Function:
    """A function by its name."""

    name: str


@dataclass(frozen=True)
class Chain:
    """Fields of something: of dot (base ``.``), of a variable (``$name``), or of what a pipeline in parentheses gives."""

    base: str | Pipeline
    fields: tuple[str, ...] = ()


Operand = Union[Text, Constant, Function, Chain]


@dataclass(frozen=True)
class Pipeline:
    """Commands, each given the result of the one before as its last argument. ``declares`` are variables that get the result."""

    commands: tuple[tuple[Operand, ...], ...]
    declares: tuple[str, ...] = ()


@dataclass(frozen=True)
class Print:
    """An action that prints or assigns."""

    pipeline: Pipeline
    line: int


@dataclass(frozen=True)
class Branch:
    """``if``, ``with`` or ``range``."""

    keyword: str
    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    line: int


@dataclass(frozen=True)
class Call:
    """``template`` or ``block``: a template's output, given what the pipeline gives."""

    name: str
    pipeline: Pipeline | None
    line: int


Node = Union[Print, Branch, Call]


@dataclass(frozen=True)
class Template:
    """What a file prints, and the templates that it defines."""

    body: tuple[Node, ...]
    defines: dict[str, tuple[Node, ...]]


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    joined: bool


@dataclass(frozen=True)
class _Action:
    tokens: tuple[_Token, ...]
    line: int

    @property
    def keyword(self) -> str:
        first = self.tokens[0] if self.tokens else None
        return first.text if first and first.kind == "word" and first.text in _KEYWORDS else ""


_BRANCHES = ("if", "with", "range")
_KEYWORDS = (*_BRANCHES, "else", "end", "define", "block", "template", "break", "continue")


def parse(text: str) -> Template:
    """The tree of a text. Raises NotATemplate."""
    reader = _Reader(_actions(text))
    body = reader.nodes(())
    return Template(body, reader.defines)


def _actions(text: str) -> list[_Action]:
    found: list[_Action] = []
    position = 0
    while opening := _OPEN.search(text, position):
        comment = _COMMENT.match(text, opening.end())
        if comment:
            position = comment.end()
            continue
        line = text.count("\n", 0, opening.start()) + 1
        tokens, position = _tokens(text, opening.end(), line)
        found.append(_Action(tokens, line))
    return found


def _tokens(text: str, position: int, line: int) -> tuple[tuple[_Token, ...], int]:
    found: list[_Token] = []
    joined = False
    while match := _TOKEN.match(text, position):
        position = match.end()
        kind = str(match.lastgroup)
        if kind == "end":
            return tuple(found), position
        if kind != "space":
            found.append(_Token(kind, match[0], joined))
        joined = kind != "space"
    raise NotATemplate(f"line {line}: {text[position : position + 20]!r} is not understood")


class _Reader:
    """Reads nodes from actions; ``defines`` fills as it goes."""

    def __init__(self, actions: Sequence[_Action]) -> None:
        self._actions = actions
        self._next = 0
        self.defines: dict[str, tuple[Node, ...]] = {}

    def nodes(self, stops: tuple[str, ...]) -> tuple[Node, ...]:
        """Nodes up to an action that begins with one of the words, or without any, to the end."""
        found: list[Node] = []
        while self._next < len(self._actions):
            action = self._actions[self._next]
            if action.keyword in stops:
                return tuple(found)
            self._next += 1
            found += self._node(action)
        if stops:
            raise NotATemplate(f"an {' or '.join(stops)} is missing")
        return tuple(found)

    def _node(self, action: _Action) -> list[Node]:
        keyword, rest = action.keyword, action.tokens[1:]
        if keyword in _BRANCHES:
            return [self._branch(keyword, rest, action.line)]
        if keyword in ("define", "block"):
            name = _name(rest)
            self.defines[name] = self.nodes(("end",))
            self._next += 1
            return [Call(name, _pipeline(rest[1:]), action.line)] if keyword == "block" else []
        if keyword == "template":
            return [Call(_name(rest), _pipeline(rest[1:]) if rest[1:] else None, action.line)]
        if keyword in ("break", "continue") or not action.tokens:
            return []
        return [Print(_pipeline(action.tokens), action.line)]

    def _branch(self, keyword: str, tokens: Sequence[_Token], line: int) -> Branch:
        pipeline = _pipeline(tokens)
        body = self.nodes(("else", "end"))
        stop = self._actions[self._next]
        self._next += 1
        if stop.keyword == "end":
            return Branch(keyword, pipeline, body, (), line)
        if len(stop.tokens) > 1:
            # "else if" shares the "end" of the first.
            inner = self._branch(stop.tokens[1].text, stop.tokens[2:], stop.line)
            return Branch(keyword, pipeline, body, (inner,), line)
        otherwise = self.nodes(("end",))
        self._next += 1
        return Branch(keyword, pipeline, body, otherwise, line)


def _name(tokens: Sequence[_Token]) -> str:
    if not tokens or tokens[0].kind != "string":
        raise NotATemplate("a template without a name")
    return _unquoted(tokens[0].text)


def _unquoted(text: str) -> str:
    body = text[1:-1]
    return body if text[0] == "`" else re.sub(r"\\(.)", r"\1", body)


def _pipeline(tokens: Sequence[_Token]) -> Pipeline:
    declares: list[str] = []
    marks = [position for position, token in enumerate(tokens[:4]) if token.text in (":=", "=") and token.kind == "mark"]
    if marks:
        declares = [token.text for token in tokens[: marks[0]] if token.kind == "variable"]
        tokens = tokens[marks[0] + 1 :]
    pipeline, rest = _commands(tokens)
    if rest:
        raise NotATemplate(f"{rest[0].text!r} is not expected")
    return Pipeline(pipeline.commands, tuple(declares))


def _commands(tokens: Sequence[_Token]) -> tuple[Pipeline, Sequence[_Token]]:
    """Commands up to a closing parenthesis or the end, and what follows them."""
    commands: list[tuple[Operand, ...]] = []
    operands: list[Operand] = []
    while tokens and tokens[0].text != ")":
        token, tokens = tokens[0], tokens[1:]
        if token.kind == "mark" and token.text == "|":
            commands.append(tuple(operands))
            operands = []
        elif token.kind == "mark" and token.text == "(":
            inner, tokens = _commands(tokens)
            if not tokens:
                raise NotATemplate("a parenthesis is not closed")
            fields, tokens = _fields(tokens[1:])
            operands.append(Chain(inner, fields))
        elif token.kind in ("variable", "field", "dot"):
            fields, tokens = _fields(tokens)
            own = (token.text[1:],) if token.kind == "field" else ()
            operands.append(Chain(token.text if token.kind == "variable" else ".", own + fields))
        elif token.kind == "string":
            operands.append(Text(_unquoted(token.text)))
        elif token.kind in ("number", "char") or token.text in ("true", "false", "nil"):
            operands.append(Constant(token.text))
        elif token.kind == "word":
            operands.append(Function(token.text))
        else:
            raise NotATemplate(f"{token.text!r} is not expected")
    commands.append(tuple(operands))
    return Pipeline(tuple(commands)), tokens


def _fields(tokens: Sequence[_Token]) -> tuple[tuple[str, ...], Sequence[_Token]]:
    """Fields joined to what is before them."""
    found: list[str] = []
    while tokens and tokens[0].kind == "field" and tokens[0].joined:
        found.append(tokens[0].text[1:])
        tokens = tokens[1:]
    return tuple(found), tokens

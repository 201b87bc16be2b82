# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values a chart's templates use, and where: their trees are followed with places in the values instead of values.

It errs on one side. What cannot be followed counts as used, and as not known to be reached: a value said to be unused is named nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..manifests.objects import mapping
from .template_syntax import Branch, Call, Chain, Constant, Function, Node, NotATemplate, Operand, Pipeline, Print, Template, Text, parse
from .template_values import (
    ANY,
    GUARDING,
    At,
    Atom,
    Dictionary,
    Listing,
    Possible,
    Root,
    below,
    call,
    elements,
    guarded,
    joined,
    keys,
    text,
)

_MAX_STEPS = 50_000
# Templates that include themselves go on as long as the values do, and here as long as this.
_MAX_DEPTH = 20


@dataclass(frozen=True)
class Use:
    """One use of a place in the values. One that is not ``whole`` only asks whether something is there, or true.

    ``reached`` says whether the environment's values lead there; None where that cannot be told.
    """

    path: tuple[str, ...]
    whole: bool
    guarded: bool
    reached: bool | None
    file: str
    line: int


@dataclass
class Flow:
    """What was found. ``assigned`` are places that templates themselves write to.

    ``everything`` is set where all values go somewhere that cannot be followed, such as a library chart's template.
    """

    values: Mapping[str, Any]
    uses: set[Use] = field(default_factory=set)
    assigned: set[tuple[str, ...]] = field(default_factory=set)
    everything: bool = False

    def may_be_assigned(self, path: Sequence[str]) -> bool:
        """Whether a template may have written to the place, or to one that it is inside of."""
        return any(tuple(path[: len(place)]) == place for place in self.assigned)


@dataclass(frozen=True)
class _Frame:
    """Where in the templates we are.

    ``reassigned`` are variables that were given several values: which of them holds is not known. ``asked`` is set where what comes out is
    not printed: it decides a condition, is compared, is kept, or has a default.
    """

    file: str
    dot: Possible
    variables: dict[str, Possible]
    reached: bool | None
    reassigned: set[str] = field(default_factory=set)
    asked: bool = False

    def at(self, **changed: Any) -> _Frame:
        return replace(self, **changed)


def follow(files: Mapping[str, Template], partials: Mapping[str, Template], values: Mapping[str, Any]) -> Flow:
    """Follow the templates of files, which may include those that they and ``partials`` define.

    Raises NotATemplate for templates that include each other without an end.
    """
    flow = Flow(values)
    walk = _Walk(flow, {**_defines(partials), **_defines(files)})
    root: Possible = (Root(),)
    for file, template in files.items():
        walk.nodes(template.body, _Frame(file, root, {"$": root}, True))
    for name in walk.not_included():
        walk.include(name, _Frame("", root, {}, None), root)
    if walk.renders_values:
        for text in _templates_in(values):
            walk.nodes(text.body, _Frame("values", root, {"$": root}, None))
    return flow


def _defines(templates: Mapping[str, Template]) -> dict[str, tuple[str, tuple[Node, ...]]]:
    return {name: (file, body) for file, template in templates.items() for name, body in template.defines.items()}


def _templates_in(value: Any) -> Iterable[Template]:
    if isinstance(value, Mapping):
        yield from (found for part in value.values() for found in _templates_in(part))
    elif isinstance(value, list):
        yield from (found for part in value for found in _templates_in(part))
    elif isinstance(value, str) and "{{" in value:
        try:
            yield parse(value)
        except NotATemplate:
            return


# Functions that only ask.
_ASKING = frozenset({"not", "empty", "len", "hasKey", "kindIs", "typeIs", "kindOf", "typeOf"})
_COMPARING = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "has", "contains"})
# Functions that write into their first argument.
_MERGING = frozenset({"merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite"})


class _Walk:
    def __init__(self, flow: Flow, defines: Mapping[str, tuple[str, tuple[Node, ...]]]) -> None:
        self._flow = flow
        self._defines = defines
        self._included: set[tuple[str, Possible, bool | None]] = set()
        self._steps = 0
        self._depth = 0
        self._line = 0
        self.renders_values = False

    def not_included(self) -> list[str]:
        """Names of templates that nothing has included by its name."""
        return sorted(self._defines.keys() - {name for name, _dot, _reached in self._included})

    def nodes(self, nodes: Sequence[Node], frame: _Frame) -> None:
        for node in nodes:
            self._steps += 1
            if self._steps > _MAX_STEPS:
                raise NotATemplate("templates include each other without an end")
            self._line = node.line
            if isinstance(node, Print):
                result = self._pipeline(node.pipeline, frame.at(asked=bool(node.pipeline.declares)))
                if node.pipeline.declares:
                    self._declare(frame, node.pipeline.declares[-1:], [result])
                else:
                    self._use(result, frame)
            elif isinstance(node, Call):
                given = self._pipeline(node.pipeline, frame) if node.pipeline else ()
                self.include(node.name, frame, given)
            else:
                self._branch(node, frame)

    def include(self, name: str, frame: _Frame, given: Possible) -> None:
        """Follow a template that is given something."""
        if name not in self._defines or self._depth == _MAX_DEPTH:
            self._use(given, frame.at(reached=None))
            return
        key = (name, given, frame.reached)
        if key in self._included:
            return
        self._included.add(key)
        file, body = self._defines[name]
        line = self._line
        self._depth += 1
        self.nodes(body, _Frame(file, given, {"$": given}, frame.reached))
        self._depth -= 1
        self._line = line

    def _branch(self, node: Branch, frame: _Frame) -> None:
        found = self._pipeline(node.pipeline, frame.at(asked=node.keyword == "if"))
        made_here = node.keyword == "range" and found and all(isinstance(one, (Dictionary, Listing)) and one.items for one in found)
        holds = True if made_here else _truth(self._constant(node.pipeline, frame))
        inside = frame.at(reached=_both(frame.reached, holds))
        if node.keyword == "range":
            each = elements(found)
            self._declare(frame, node.pipeline.declares[-1:], [each])
            self._declare(frame, node.pipeline.declares[:-1], [keys(found)])
            if node.pipeline.declares[:-1]:
                # The keys are at hand, whether or not the values are used.
                self._use(each, frame, whole=False, asked=True)
            inside = inside.at(dot=each)
        else:
            self._declare(frame, node.pipeline.declares, [found])
            inside = inside.at(dot=found) if node.keyword == "with" else inside
        self._use(found, frame, whole=False, asked=True)
        self.nodes(node.body, inside)
        self.nodes(node.otherwise, frame.at(reached=_both(frame.reached, None if holds is None else not holds)))

    def _declare(self, frame: _Frame, names: Sequence[str], results: Sequence[Possible]) -> None:
        # What a variable was before, it may still be where a branch is not taken.
        for name, result in zip(names, results):
            if name in frame.variables:
                frame.reassigned.add(name)
            frame.variables[name] = joined(frame.variables.get(name, ()), result)

    def _pipeline(self, pipeline: Pipeline, frame: _Frame) -> Possible:
        result: Possible = ()
        for position, command in enumerate(pipeline.commands):
            piped = [result] if position else []
            later = any(_answers(other) for other in pipeline.commands[position + 1 :])
            result = self._command(command, piped, frame.at(asked=True) if later else frame)
        return result

    def _command(self, command: Sequence[Operand], piped: list[Possible], frame: _Frame) -> Possible:
        if not command:
            return ()
        inside = frame.at(asked=True) if _answers(command) else frame
        arguments = [self._operand(operand, inside) for operand in command[1:]] + piped
        first = command[0]
        if isinstance(first, Function):
            return self._function(first.name, arguments, command[1:], frame)
        found = self._operand(first, frame)
        for argument in arguments:
            self._use(argument, frame)
        return found

    def _operand(self, operand: Operand, frame: _Frame) -> Possible:
        if isinstance(operand, Text):
            return (operand,)
        if isinstance(operand, Function):
            return self._function(operand.name, [], (), frame)
        if isinstance(operand, Constant):
            return ()
        if isinstance(operand.base, Pipeline):
            found = self._pipeline(operand.base, frame)
        else:
            found = frame.dot if operand.base == "." else frame.variables.get(operand.base, ())
        for name in operand.fields:
            found = below(found, name)
        return found

    def _function(self, name: str, arguments: list[Possible], operands: Sequence[Operand], frame: _Frame) -> Possible:
        if name == "include" and len(arguments) > 1:
            return self._include_any(arguments[0], arguments[1], frame)
        if name in ("set", "unset"):
            return self._set(arguments, operands, frame)
        if name == "ternary" and len(arguments) == 3:
            self._use(arguments[2], frame, whole=False, asked=True)
            return guarded(joined(*arguments[:2]))
        if name in _MERGING and arguments:
            self._flow.assigned.update(one.path for one in arguments[0] if isinstance(one, At))
        handed_on = call(name, arguments)
        if handed_on is not None:
            return handed_on
        if name == "tpl":
            self.renders_values = True
            arguments = arguments[:1]
        if name == "hasKey" and len(arguments) > 1:
            arguments = [below(arguments[0], text(arguments[1]))]
        for argument in arguments:
            self._use(argument, frame, whole=name not in _ASKING, asked=name in _ASKING or name in _COMPARING)
        return ()

    def _include_any(self, names: Possible, given: Possible, frame: _Frame) -> Possible:
        self._use(names, frame)
        known = [one.value for one in names if isinstance(one, Text)]
        for name in known:
            self.include(name, frame, given)
        if not known:
            # Which template it is depends on a value. All are followed with the root anyway.
            self._use(tuple(one for one in given if not isinstance(one, Root)), frame)
        return ()

    def _set(self, arguments: list[Possible], operands: Sequence[Operand], frame: _Frame) -> Possible:
        if len(arguments) < 3:
            return arguments[0] if arguments else ()
        key, value = text(arguments[1]), arguments[2]
        changed: list[Atom] = []
        for one in arguments[0]:
            if isinstance(one, At):
                self._flow.assigned.add((*one.path, key))
                self._use(value, frame)
            changed.append(Dictionary((*one.items, (key, value))) if isinstance(one, Dictionary) else one)
        target = operands[0] if operands else None
        if isinstance(target, Chain) and isinstance(target.base, str) and target.base != "." and not target.fields:
            frame.variables[target.base] = tuple(changed)
        return tuple(changed)

    def _use(self, found: Possible, frame: _Frame, whole: bool = True, asked: bool = False) -> None:
        for one in found:
            if isinstance(one, At):
                guarded_here = asked or one.guarded or frame.asked
                self._flow.uses.add(Use(one.path, whole, guarded_here, frame.reached, frame.file, self._line))
            elif isinstance(one, Root):
                self._flow.everything = self._flow.everything or whole
            elif isinstance(one, (Dictionary, Listing)):
                self._use(elements((one,)), frame, whole, asked)

    def _constant(self, pipeline: Pipeline, frame: _Frame) -> tuple[Any, ...]:
        """The value of a condition in a tuple, or an empty one where it cannot be told."""
        if len(pipeline.commands) != 1 or not pipeline.commands[0]:
            return ()
        first, *rest = pipeline.commands[0]
        if isinstance(first, Function):
            given = [self._constant(Pipeline(((operand,),)), frame) for operand in rest]
            return _computed(first.name, given)
        if isinstance(first, Text):
            return (first.value,)
        if isinstance(first, Constant):
            return ({"true": True, "false": False, "nil": None}[first.value],) if first.value in ("true", "false", "nil") else ()
        if isinstance(first.base, Pipeline) and not first.fields:
            return self._constant(first.base, frame)
        if isinstance(first.base, str) and first.base in frame.reassigned:
            return ()
        return self._value_of(self._operand(first, frame))

    def _value_of(self, found: Possible) -> tuple[Any, ...]:
        """The value, where all that it may be is equal. A place with ANY in its path is several places."""
        known: list[Any] = []
        for one in found:
            if isinstance(one, At) and not self._flow.may_be_assigned(one.path):
                known += looked_up(self._flow.values, one.path)
            elif isinstance(one, Listing):
                known.append(one.items)
            else:
                return ()
        return (known[0],) if known and all(value == known[0] for value in known) else ()


def _answers(command: Sequence[Operand]) -> bool:
    """Whether a command prints nothing of what it is given where that is missing."""
    first = command[0] if command else None
    return isinstance(first, Function) and first.name in (_ASKING | _COMPARING | GUARDING | {"ternary"})


def looked_up(value: Any, path: Sequence[str]) -> list[Any]:
    """What is at a place, None for what is not there; several values where the path has ANY in it."""
    if not path:
        return [value]
    if path[0] != ANY:
        return looked_up(mapping(value).get(path[0]), path[1:])
    parts = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
    return [found for part in parts for found in looked_up(part, path[1:])]


def _computed(name: str, given: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    truths = [_truth(one) for one in given]
    if name in ("not", "empty") and truths and truths[0] is not None:
        return (not truths[0],)
    if name in ("and", "or"):
        decisive = name == "or"
        if decisive in truths:
            return (decisive,)
        return () if None in truths else (not decisive,)
    if name in ("eq", "ne") and len(given) == 2 and all(given):
        return ((given[0] == given[1]) == (name == "eq"),)
    return ()


def _truth(known: tuple[Any, ...]) -> bool | None:
    """Whether a value counts as true to a template; None where it is not known."""
    return bool(known[0]) if known else None


def _both(reached: bool | None, holds: bool | None) -> bool | None:
    if reached is False or holds is False:
        return False
    return True if reached and holds else None

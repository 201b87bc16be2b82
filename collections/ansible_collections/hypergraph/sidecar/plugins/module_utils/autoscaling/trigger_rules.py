# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what triggers say: the parameters of their scalers, their metric types, their credentials, and the formula over them.

KEDA's webhook judges no parameter, and lets objects pass where it does not answer. What is wrong shows as a ScaledObject that never
becomes ready. Values of parameters are told only where no scaler has a secret there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..manifests.bundle import Bundle, Version
from ..manifests.objects import Object, Path, mapping
from ..manifests.rules import WARNING, Outcome
from .problems import Problem, outcomes
from .registry import RULES
from .scalers import FLAG, SCALERS, TEXT, Scaler, parameter
from .triggers import RESOURCE_TYPES, Trigger, formula_of, owners, triggers, triggers_of

_WITHOUT_CACHE = (*RESOURCE_TYPES, "cron")
_SCALERS_SOURCE = "kedacore/keda schema/generated/scalers-schema.json and pkg/scalers"
_WORD = re.compile(r"(?<![\w.#])([A-Za-z_]\w*)(?!\w*\s*\()")
_LET = re.compile(r"\blet\s+([A-Za-z_]\w*)\s*=")
# Of the language expr that formulas are written in.
_KEYWORDS = frozenset(
    ("true", "false", "nil", "let", "in", "not", "and", "or", "matches", "contains", "startsWith", "endsWith", "if", "else")
)


@RULES.rule(
    "trigger-metadata-not-text",
    "Triggers are a list, and all of their metadata is text",
    examines="triggers",
    source="kedacore/keda apis/keda/v1alpha1/scaletriggers_types.go",
    fix="Quote numbers and booleans in the template; the API server refuses others.",
)
def _not_text(bundle: Bundle) -> Iterator[Outcome]:
    for owner in owners(bundle.objects):
        found = owner.spec.get("triggers")
        if not isinstance(found, list) or not found:
            said = "none" if not found else f"a {_type(found)}"
            yield Outcome(owner, False, "a list of triggers", said, ("spec", "triggers"))
        for trigger in triggers_of(owner):
            others = [key for key, value in trigger.metadata.items() if not isinstance(value, str)]
            said = ", ".join(f"{key} is a {_type(trigger.metadata[key])}" for key in others)
            path: Path = (*trigger.path, "metadata", *others[:1])
            yield Outcome(owner, not others, f"metadata of {trigger} as text", said or "text", path)


def _type(value: object) -> str:
    names = {bool: "boolean", int: "number", float: "number", dict: "mapping", list: "list", str: "text"}
    return names.get(type(value), "null")


@RULES.rule(
    "trigger-parameter-missing",
    "Triggers have the parameters that their scalers need",
    examines="triggers of scalers that the check knows",
    source=_SCALERS_SOURCE,
    fix="Add the parameter to metadata, or to the TriggerAuthentication where the scaler reads it from there.",
)
def _parameter_missing(bundle: Bundle) -> Iterator[Outcome]:
    for trigger, scaler in _known(bundle):
        missing = [name for name, found in scaler.parameters.items() if found.required and not _given(trigger, scaler, name)]
        if formula_of(trigger.owner):
            missing = [name for name in missing if not scaler.parameters[name].composed]
        if not missing and scaler.either and not any(all(_given(trigger, scaler, name) for name in some) for some in scaler.either):
            missing = [" or ".join("+".join(some) for some in scaler.either)]
        yield Outcome(trigger.owner, not missing, f"{', '.join(missing)} of {trigger}", "nothing of it", (*trigger.path, "metadata"))


def _given(trigger: Trigger, scaler: Scaler, name: str) -> bool:
    """Whether a parameter has a value, or may have one of the TriggerAuthentication, which is not looked into.

    A value that is no text counts: another rule tells it.
    """
    found = scaler.parameters[name]
    if (found.metadata and _filled(trigger, name)) or (found.env and _filled(trigger, f"{name}FromEnv")):
        return True
    return found.auth and bool(trigger.authentication)


def _filled(trigger: Trigger, key: str) -> bool:
    value = trigger.metadata.get(key)
    return bool(value.strip()) if isinstance(value, str) else value is not None


@RULES.rule(
    "trigger-parameter-refused",
    "Parameters of triggers have values that their scalers take",
    examines="triggers of scalers that the check knows",
    source=_SCALERS_SOURCE,
    fix="Correct the value: the scaler cannot be made with it, and the ScaledObject does not become ready.",
)
def _parameter_refused(bundle: Bundle) -> Iterator[Outcome]:
    for trigger, scaler in _known(bundle):
        found = [*_refused_values(trigger, scaler), *_refused_together(trigger, scaler), *_refused_schedule(trigger)]
        yield from outcomes(trigger.owner, [((*trigger.path, "metadata", key), wanted, said) for (key,), wanted, said in found])


def _refused_values(trigger: Trigger, scaler: Scaler) -> Iterator[tuple[tuple[str], str, str]]:
    for key in trigger.metadata:
        found = scaler.parameters.get(key)
        value = trigger.value(key)
        if found is None or found.form is TEXT or not found.metadata or not value:
            continue
        form = found.form
        if not form.takes(value):
            yield (key,), f"{form.name} for {key} of {trigger}", repr(value[:40])
        elif key == "value" and trigger.metric_type == "Utilization" and not value.isdigit():
            yield (key,), f"percent of the request, as a whole number, for {trigger}", repr(value[:40])


def _refused_together(trigger: Trigger, scaler: Scaler) -> Iterator[tuple[tuple[str], str, str]]:
    for one, other in scaler.never:
        if _on(trigger, one) and _on(trigger, other):
            yield (one,), f"{one} or {other} of {trigger}", "both"


def _on(trigger: Trigger, key: str) -> bool:
    value = trigger.value(key)
    return bool(value) and value != "Unknown" and not (FLAG.takes(value) and value[0] in "0fF")


def _refused_schedule(trigger: Trigger) -> Iterator[tuple[tuple[str], str, str]]:
    if trigger.type == "cron" and trigger.value("start") and trigger.value("start") == trigger.value("end"):
        yield ("end",), f"an end of {trigger} that is not its start", trigger.value("end")


@RULES.rule(
    "trigger-parameter-unknown",
    "Scalers read all that their triggers say",
    examines="triggers of scalers that the check knows",
    source=f"{_SCALERS_SOURCE}; CHANGELOG.md: metricName (2.12), cortexOrgID (2.15), type of cpu and memory (2.18)",
    fix="Correct the name or take it away: KEDA passes over what it does not know, and the default holds.",
    severity=WARNING,
)
def _parameter_unknown(bundle: Bundle) -> Iterator[Outcome]:
    keda = bundle.versions.keda
    for trigger, scaler in _known(bundle):
        found = [((*trigger.path, "metadata", key), f"a parameter of {trigger}", said) for key, said in _unread(trigger, scaler, keda)]
        yield from outcomes(trigger.owner, found)


def _unread(trigger: Trigger, scaler: Scaler, keda: Version) -> Iterator[tuple[str, str]]:
    for key in trigger.metadata:
        found = parameter(scaler, key)
        if found is None:
            elsewhere = key in scaler.parameters
            yield key, f"{key}, which is read from a TriggerAuthentication alone" if elsewhere else key
        elif not found.known_to(keda):
            gone = bool(found.until) and keda >= found.until
            then = ".".join(str(part) for part in (found.until if gone else found.since))
            yield key, f"{key}, gone since {then}; now {found.instead}" if gone else f"{key}, which came with {then}"


@RULES.rule(
    "metric-type-refused",
    "Metric types are those that the scaler has",
    examines="triggers",
    source="kedacore/keda pkg/scalers/scaler.go, GetMetricTargetType; cpu_memory_scaler.go, parseResourceMetadata",
    fix="Use Utilization or AverageValue for cpu and memory, AverageValue (the default) or Value for all others.",
)
def _metric_type(bundle: Bundle) -> Iterator[Outcome]:
    for trigger in triggers(bundle):
        if trigger.is_resource:
            allowed: tuple[str, ...] = ("Utilization", "AverageValue")
            # What KEDA before 2.18 read, which knew the type as a parameter too.
            told = trigger.metric_type or (trigger.value("type") if bundle.versions.keda < (2, 18) else "")
        else:
            allowed, told = ("AverageValue", "Value"), trigger.metric_type or "AverageValue"
        expected = f"{' or '.join(allowed)} for {trigger}"
        yield Outcome(trigger.owner, told in allowed, expected, told or "none", (*trigger.path, "metricType"))


@RULES.rule(
    "trigger-refused",
    "Names of triggers are unique, and only what is asked for anew is cached",
    examines="triggers",
    source="kedacore/keda apis/keda/v1alpha1/scaletriggers_types.go, ValidateTriggers",
    fix="Give each trigger of a ScaledObject a name of its own, and take useCachedMetrics from cpu, memory and cron.",
)
def _refused(bundle: Bundle) -> Iterator[Outcome]:
    for owner in owners(bundle.objects):
        names: set[str] = set()
        for trigger in triggers_of(owner):
            found: list[Problem] = []
            if trigger.name and trigger.name in names:
                found.append(((*trigger.path, "name"), "a name of its own", trigger.name))
            if trigger.body.get("useCachedMetrics") is True and trigger.type in _WITHOUT_CACHE:
                found.append(((*trigger.path, "useCachedMetrics"), f"no cache for {trigger}", "useCachedMetrics"))
            names.add(trigger.name)
            yield from outcomes(owner, found)


@RULES.rule(
    "authentication-missing",
    "The TriggerAuthentication that a trigger names is there",
    examines="triggers with a TriggerAuthentication",
    source="kedacore/keda apis/keda/v1alpha1/scaletriggers_types.go, AuthenticationRef",
    fix="Render the TriggerAuthentication in the namespace of the ScaledObject, or correct name and kind.",
)
def _authentication_missing(bundle: Bundle) -> Iterator[Outcome]:
    for trigger in triggers(bundle):
        kind = trigger.authentication.get("kind") or "TriggerAuthentication"
        # One for the whole cluster is the platform's: where the bundle holds none of these, it is not the bundle's to tell.
        if trigger.authentication and (kind == "TriggerAuthentication" or any(bundle.of_kind(kind))):
            there = [one.name for one in bundle.of_kind(kind) if _reachable(bundle, one, trigger.owner)]
            wanted = trigger.authentication.get("name")
            said = f"there is {', '.join(sorted(there)) or 'none'}"
            yield Outcome(trigger.owner, wanted in there, f"{kind} {wanted} for {trigger}", said, (*trigger.path, "authenticationRef"))


def _reachable(bundle: Bundle, authentication: Object, owner: Object) -> bool:
    return authentication.kind != "TriggerAuthentication" or bundle.namespace_of(authentication) == bundle.namespace_of(owner)


@RULES.rule(
    "formula-refused",
    "A formula over triggers has a target, and names triggers that are there",
    examines="ScaledObjects with scalingModifiers",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_webhook.go, ValidateAndCompileScalingModifiers",
    fix="Name the triggers by their name; set target to a number above 0. Metrics of cpu and memory cannot be part of a formula.",
)
def _formula_refused(bundle: Bundle) -> Iterator[Outcome]:
    for owner in owners(bundle.objects):
        modifiers = {key: value for key, value in mapping(owner.at("spec", "advanced", "scalingModifiers")).items() if value}
        asked = owner.at("spec", "fallback", "behavior") == "scalingModifiers"
        if modifiers or asked:
            yield from outcomes(owner, _of_formula(owner, str(modifiers.get("target") or "")))


def _of_formula(owner: Object, target: str) -> Iterator[Problem]:
    path: Path = ("spec", "advanced", "scalingModifiers")
    formula = formula_of(owner)
    if not formula:
        yield (*path, "formula"), "a formula", "none"
        return
    try:
        positive = float(target) > 0
    except ValueError:
        positive = False
    if not positive:
        yield (*path, "target"), "a number above 0", target or "none"
    there = {trigger.name for trigger in triggers_of(owner) if trigger.name and not trigger.is_resource}
    absent = sorted(_names(formula) - there)
    if absent:
        yield (*path, "formula"), f"names of triggers: {', '.join(sorted(there)) or 'none has one'}", ", ".join(absent)


def _names(formula: str) -> set[str]:
    """What a formula takes from outside: words that are no strings, functions, members, keywords or variables of its own."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", " ", formula)
    return set(_WORD.findall(bare)) - _KEYWORDS - set(_LET.findall(bare))


def unknown_types(bundle: Bundle) -> list[str]:
    """Types of triggers whose parameters the check does not know."""
    return sorted({trigger.type for trigger in triggers(bundle) if trigger.type and trigger.type not in SCALERS})


def _known(bundle: Bundle) -> Iterator[tuple[Trigger, Scaler]]:
    return ((trigger, SCALERS[trigger.type]) for trigger in triggers(bundle) if trigger.type in SCALERS)

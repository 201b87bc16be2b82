# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on values, on small charts as they lie on disk: what templates ask for is there, and what is there is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart import values_usage
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.release import Release
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.source import Source, read_source
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle

UNDEFINED, UNUSED = "values-key-undefined", "values-key-unused"
VALUES = "web: {port: 80, host: a.example.org}\nextra: {}\n"
USED = "{{ .Values.web.port }}{{ .Values.web.host }}{{ toYaml .Values.extra }}"
LOOP = "{{ range $name, $one := .Values.many }}{{ $one.port }}{{ end }}"
MANY = "many: {a: {port: 1}, b: {port: 2}}\n"


def written(root: Path, files: dict[str, str]) -> Path:
    """A chart of these files, of which values.yaml and templates/web.yaml are there in any case."""
    all_files = {"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "values.yaml": VALUES, "templates/web.yaml": USED, **files}
    for name, text in all_files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def merged(below: Any, above: Any) -> Any:
    """Values as Helm merges them: a null takes a key away."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    keys = [key for key in {**below, **above} if above.get(key, below.get(key)) is not None]
    return {key: merged(below[key], above[key]) if key in below and key in above else above.get(key, below.get(key)) for key in keys}


def release(root: Path, files: dict[str, str]) -> Release:
    chart = written(root, files)
    values = yaml.safe_load((chart / "values.yaml").read_text()) or {}
    environment = [str(chart / name) for name in ("values-production.yaml",) if (chart / name).exists()]
    for file in environment:
        values = merged(values, yaml.safe_load(Path(file).read_text()) or {})
    return Release(Bundle(values=values), source=read_source(chart, environment, values))


def broken(rule: str, judged: Release) -> list[str]:
    return [str(outcome.subject) for outcome in values_usage.RULES.rules[rule].judge(judged) if not outcome.ok]


def template(text: str, values: str = VALUES, **more: str) -> dict[str, str]:
    """A chart with one template beside the one that uses all values."""
    return {
        "templates/more.yaml": text,
        "values.yaml": values,
        **{name.replace("__", "/").replace("_dot_", "."): body for name, body in more.items()},
    }


HELPERS = {"templates/_names.tpl": '{{ define "port" }}{{ .root.Values.web.prot }}{{ end }}'}
VIOLATIONS: list[tuple[str, dict[str, str], list[str]]] = [
    (UNDEFINED, template("{{ .Values.web.prot }}"), [".Values.web.prot"]),
    (UNDEFINED, template("{{- .Values.wbe.port | quote -}}"), [".Values.wbe.port"]),
    (UNDEFINED, template("{{ $.Values.web.prot }}"), [".Values.web.prot"]),
    (UNDEFINED, template("{{ with .Values.web }}{{ .prot }}{{ end }}"), [".Values.web.prot"]),
    (UNDEFINED, template("{{ $web := .Values.web }}{{ $web.prot }}"), [".Values.web.prot"]),
    (UNDEFINED, template('{{ printf "%v-%s" .Values.web.port .Values.web.name }}'), [".Values.web.name"]),
    (UNDEFINED, template('{{ index .Values.web "prot" }}'), [".Values.web.prot"]),
    (UNDEFINED, template('{{ index .Values "web" "prot" | int }}'), [".Values.web.prot"]),
    (UNDEFINED, template("{{ (.Values.web).prot }}"), [".Values.web.prot"]),
    (UNDEFINED, template("{{ toYaml .Values.webs | indent 2 }}"), [".Values.webs"]),
    (UNDEFINED, template("{{ $web := .Values.web }}{{ if $web.port }}{{ int $web.prot }}{{ end }}"), [".Values.web.prot"]),
    (UNDEFINED, template("{{ if .Values.web.port }}{{ .Values.web.prot }}{{ end }}"), [".Values.web.prot"]),
    (UNDEFINED, template("{{ if not .Values.extra }}{{ .Values.web.prot }}{{ end }}"), [".Values.web.prot"]),
    (UNDEFINED, template("{{ if .Values.extra }}a{{ else if .Values.web }}{{ .Values.web.prot }}{{ end }}"), [".Values.web.prot"]),
    (UNDEFINED, template('{{ if eq .Values.web.host "a.example.org" }}{{ .Values.web.prot }}{{ end }}'), [".Values.web.prot"]),
    (UNDEFINED, template("{{ if and .Values.web .Values.web.port }}{{ .Values.web.prot }}{{ end }}"), [".Values.web.prot"]),
    (UNDEFINED, template("{{ if or .Values.extra .Values.web.port }}{{ .Values.web.prot }}{{ end }}"), [".Values.web.prot"]),
    (UNDEFINED, template(LOOP.replace("port", "prot"), VALUES + MANY), [".Values.many.*.prot"]),
    (UNDEFINED, template('{{ include "port" (dict "root" $) }}') | HELPERS, [".Values.web.prot"]),
    (UNDEFINED, template('{{ template "port" (dict "root" $) }}') | HELPERS, [".Values.web.prot"]),
    (UNDEFINED, template("{{ range list .Values.web.prot }}{{ . }}{{ end }}"), [".Values.web.prot"]),
    # An environment that takes the parent away also takes what was below it.
    (UNDEFINED, template("{{ .Values.web.path }}", **{"values-production.yaml": "web: {port: 1}\n"}), [".Values.web.path"]),
    (
        UNDEFINED,
        template("{{ .Values.web.prot }}") | {"values.schema.json": json.dumps({"properties": {"web": {"properties": {"port": {}}}}})},
        [".Values.web.prot"],
    ),
    (UNUSED, template("", VALUES + "typo: 1\n"), ["typo"]),
    (UNUSED, template("", VALUES.replace("port: 80", "port: 80, prot: 81")), ["web.prot"]),
    (UNUSED, template("", **{"values-production.yaml": "web: {hots: b}\n"}), ["web.hots"]),
    (UNUSED, template("{{ if .Values.feature }}a{{ end }}", VALUES + "feature: {more: true}\n"), ["feature.more"]),
    # Helm, too, reads the key as true.
    (UNUSED, template("{{ .Values.feature.on }}", VALUES + "feature: {on: 1}\n"), ["feature.true"]),
    (UNUSED, template("{{ range $name, $one := .Values.many }}{{ $name }}{{ end }}", VALUES + MANY), ["many.a.port", "many.b.port"]),
    (UNUSED, template('{{ if hasKey .Values.more "b" }}a{{ end }}', VALUES + "more: {a: 1, b: 2}\n"), ["more.a"]),
    (UNUSED, template('{{/* .Values.typo */}}{{ "{{ .Values.typo }}" }}', VALUES + "typo: 1\n"), ["typo"]),
    # What helm does not read uses nothing.
    (
        UNUSED,
        template("", VALUES + "old: 1\n") | {"templates/old.yaml.orig": "{{ .Values.old }}", ".helmignore": "# no copies\n*.orig\n"},
        ["old"],
    ),
    (UNUSED, template("", VALUES + "old: 1\n") | {"templates/.old.yaml": "{{ .Values.old }}"}, ["old"]),
    (UNUSED, template("", VALUES + "old: 1\n") | {"templates/attic/old.yaml": "{{ .Values.old }}", ".helmignore": "attic/\n"}, ["old"]),
]
NEAR_MISSES: list[tuple[str, dict[str, str]]] = [
    (UNDEFINED, template('{{ .Values.web.prot | default 80 }}{{ default "a" .Values.web.name }}{{ coalesce .Values.a .Values.b }}')),
    (UNDEFINED, template('{{ required "name it" .Values.web.name }}')),
    (UNDEFINED, template("{{ with .Values.web.name }}{{ . }}{{ end }}{{ if .Values.web.name }}{{ .Values.web.name }}{{ end }}")),
    (
        UNDEFINED,
        template("{{ if and .Values.extra .Values.web }}{{ .Values.extra.name }}{{ end }}{{ if .Values.extra }}{{ .Values.no }}{{ end }}"),
    ),
    (UNDEFINED, template('{{ if hasKey .Values.web "name" }}{{ .Values.web.name }}{{ end }}')),
    (UNDEFINED, template('{{ if eq .Values.web.kind "a" }}b{{ end }}{{ if empty .Values.web.kind }}c{{ end }}')),
    (
        UNDEFINED,
        template('{{ get .Values.web "name" }}{{ dig "a" "b" "c" .Values.web }}{{ (.Values.web.tls | default dict).name | default "a" }}'),
    ),
    (UNDEFINED, template('{{ if eq .Values.web.host "b" }}{{ .Values.web.prot }}{{ end }}')),
    # What decides, is compared or has a default is not printed, whatever is done to it before.
    (UNDEFINED, template('{{ if gt (int .Values.n) 1 }}a{{ end }}{{ $on := index .Values.web "on.off" | toString }}{{ eq $on "true" }}')),
    (UNDEFINED, template('{{ .Values.n | int | default 5 }}{{ default 5 (int .Values.n) }}{{ .Values.a | toString | eq "b" }}')),
    (UNDEFINED, template('{{ ternary "a" "b" (eq (lower .Values.kind) "c") }}{{ and (int .Values.n) 1 }}')),
    # A mapping that is empty by default is there to be filled.
    (UNDEFINED, template("{{ .Values.extra.name }}")),
    (UNDEFINED, template("{{ .Values.web.name }}", "web: {port: 80, host: a, name: null}\nextra: {}\n")),
    (UNDEFINED, template("{{ .Values.web.host }}", **{"values-production.yaml": "web: {host: null}\n"})),
    (UNDEFINED, template("{{ .Values.web.name }}") | {"values-production.yaml": "web: {name: a}\n"}),
    (
        UNDEFINED,
        template("{{ .Values.web.name }}")
        | {
            "values.schema.json": json.dumps(
                {"properties": {"web": {"$ref": "#/definitions/web"}}, "definitions": {"web": {"properties": {"name": {}}}}}
            )
        },
    ),
    (UNDEFINED, template("{{ .Values.web.name }}") | {"values.schema.json": json.dumps({"properties": {"web": {"$ref": "web.json"}}})}),
    (UNDEFINED, template("{{ .Values.web.name }}") | {"values.schema.json": json.dumps({"anyOf": [{"properties": {"web": {}}}]})}),
    (
        UNDEFINED,
        template("{{ .Values.web.name }}") | {"values.schema.json": json.dumps({"properties": {"web": {"additionalProperties": {}}}})},
    ),
    (
        UNDEFINED,
        template("{{ .Values.web.a }}")
        | {
            "values.schema.json": json.dumps(
                {"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}}
            )
        },
    ),
    (
        UNDEFINED,
        template(
            '{{ $_ := set .Values.web "name" "a" }}{{ .Values.web.name }}{{ $_ := set .Values "own" (dict "a" 1) }}{{ .Values.own.a }}'
        ),
    ),
    (UNDEFINED, template("{{ $_ := mergeOverwrite .Values.web .Values.more }}{{ .Values.web.name }}", VALUES + "more: {name: a}\n")),
    (
        UNDEFINED,
        template("{{ $on := .Values.web.port }}{{ if .Values.extra }}{{ $on = false }}{{ end }}{{ if $on }}{{ .Values.web.a }}{{ end }}"),
    ),
    (UNDEFINED, template(LOOP, VALUES + "many: {a: {port: 1}, b: {}}\n")),
    (UNDEFINED, template("{{ range .Values.many }}{{ .port }}{{ end }}", VALUES + "many: []\n")),
    (UNDEFINED, template("{{ .Values.cache.size }}{{ .Values.global.registry }}") | {"charts/cache/Chart.yaml": "name: cache\n"}),
    (
        UNDEFINED,
        template("{{ .Values.queue.size }}") | {"Chart.yaml": "name: a\nversion: 1.0.0\ndependencies: [{name: rabbit, alias: queue}]\n"},
    ),
    (UNDEFINED, template("a") | {"charts/cache/templates/_a.tpl": '{{ define "a" }}{{ .Values.size }}{{ end }}'}),
    (UNDEFINED, template('{{ "{{ .Values.no }}" }}{{/* {{ .Values.no }} */}}{{- /* a */ -}}{{ `{{ .Values.no }}` }}')),
    (UNDEFINED, template("a") | {"templates/old.yaml.orig": "{{ .Values.no }}", ".helmignore": "*.orig"}),
    (UNDEFINED, template("a") | {"templates/attic/a.yaml": "{{ .Values.no }}", ".helmignore": "templates/attic/*\n"}),
    (UNUSED, template("{{ toYaml .Values.more | nindent 2 }}", VALUES + "more: {a: {b: 1}}\n")),
    (UNUSED, template("{{ if .Values.feature }}a{{ end }}", VALUES + "feature: true\n")),
    (UNUSED, template("{{ range $name, $on := .Values.flags }}{{ $name }}{{ end }}", VALUES + "flags: {a: true, b: false}\n")),
    (UNUSED, template("{{ tpl .Values.note . }}", VALUES + 'note: "{{ .Values.name }}"\nname: a\n')),
    (UNUSED, template("{{ include .Values.which . }}", VALUES + "which: a\n")),
    (UNUSED, template('{{ include "library.web" . }}', VALUES + "anything: 1\n")),
    (UNUSED, template("{{ .Values | toYaml }}", VALUES + "anything: 1\n")),
    (UNUSED, template("", VALUES + "_shared: &a {b: 1}\nx-more: 1\nglobal: {a: 1}\n")),
    (
        UNUSED,
        template(
            "{{ if gt (int .Values.m) 1 }}a{{ end }}{{ ternary .Values.a .Values.b .Values.c }}", VALUES + "m: 1\na: 1\nb: 1\nc: true\n"
        ),
    ),
    (UNUSED, template('{{ range $k, $v := dict "a" .Values.one "b" .Values.two }}{{ $v }}{{ end }}', VALUES + "one: 1\ntwo: 2\n")),
    (UNUSED, template('{{ pick .Values.more "a" | toYaml }}{{ first .Values.list }}', VALUES + "more: {a: 1}\nlist: [1]\n")),
    (UNUSED, template('{{ block "b" .Values.more }}{{ .a }}{{ end }}', VALUES + "more: {a: 1}\n")),
    # A key that the templates make up may be any.
    (UNUSED, template('{{ index .Values.more (printf "%s" "a") }}', VALUES + "more: {a: 1}\n")),
    (UNUSED, template("a", VALUES + "cache: {size: 1}\n") | {"charts/cache/Chart.yaml": "name: cache\n"}),
    (
        UNUSED,
        template("a", VALUES + "kept: 1\n")
        | {"templates/kept.yaml": "{{ .Values.kept }}", ".helmignore": "*.yaml\n!kept.yaml\n!web.yaml\n"},
    ),
]


@pytest.mark.parametrize(("rule", "files", "subjects"), VIOLATIONS)
def test_a_violation_is_found(tmp_path: Path, rule: str, files: dict[str, str], subjects: list[str]) -> None:
    judged = release(tmp_path, files)
    assert judged.source.not_followed == ""
    assert broken(rule, judged) == subjects


@pytest.mark.parametrize(("rule", "files"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(tmp_path: Path, rule: str, files: dict[str, str]) -> None:
    judged = release(tmp_path, files)
    assert judged.source.not_followed == ""
    assert broken(rule, judged) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert {rule.id for rule in values_usage.RULES} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}


def test_a_finding_has_its_file_and_line(tmp_path: Path) -> None:
    judged = release(tmp_path, template("a\n\n{{ .Values.web.prot }}\n", VALUES + "typo: 1\n"))
    (undefined,) = (one for one in values_usage.RULES.rules[UNDEFINED].judge(judged) if not one.ok)
    (unused,) = (one for one in values_usage.RULES.rules[UNUSED].judge(judged) if not one.ok)
    assert str(undefined.where) == f"{tmp_path}/templates/more.yaml:3"
    assert str(unused.where) == f"{tmp_path}/values.yaml:3"


def test_each_use_is_counted_once(tmp_path: Path) -> None:
    judged = release(tmp_path, template("{{ .Values.web.port }}{{ .Values.web.port }}\n{{ .Values.web.port }}"))
    # Two lines here, and three values in the other template.
    assert len(list(values_usage.RULES.rules[UNDEFINED].judge(judged))) == 5
    assert len(list(values_usage.RULES.rules[UNUSED].judge(judged))) == 3


@pytest.mark.parametrize(
    "text", ["{{ .Values.web.port", "{{ if .Values.web }}", "{{ .Values.web.port ) }}", "{{ & }}", "{{ template 1 }}", "{{ (1 }}"]
)
def test_a_template_that_cannot_be_followed_is_named_and_not_judged(tmp_path: Path, text: str) -> None:
    judged = release(tmp_path, template(text))
    assert f"{tmp_path}/templates/more.yaml" in judged.source.not_followed
    assert [list(rule.judge(judged)) for rule in values_usage.RULES] == [[], []]


def test_a_template_that_includes_itself_is_followed_as_far_as_it_tells_something(tmp_path: Path) -> None:
    tree = '{{ define "tree" }}{{ .name }}{{ range .below }}{{ include "tree" . }}{{ end }}{{ end }}{{ include "tree" .Values.tree }}'
    judged = release(tmp_path, template(tree, VALUES + "tree: {name: a, below: [{name: b, below: []}]}\ntypo: 1\n"))
    assert judged.source.not_followed == ""
    assert (broken(UNDEFINED, judged), broken(UNUSED, judged)) == ([], ["typo"])


def test_templates_that_branch_without_an_end_are_named_and_not_judged(tmp_path: Path) -> None:
    endless = '{{ define "a" }}{{ include "a" (dict "x" .) }}{{ include "a" (dict "y" .) }}{{ end }}{{ include "a" . }}'
    judged = release(tmp_path, template(endless))
    assert "without an end" in judged.source.not_followed


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    written(tmp_path, {})
    (tmp_path / "templates/logo.png").write_bytes(b"\x89PNG")
    assert "logo.png" in read_source(tmp_path, [], {}).not_followed


def test_values_that_are_no_yaml_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match=r"values\.yaml:2"):
        read_source(written(tmp_path, {"values.yaml": "a: 1\n\tb: 2\n"}), [], {})


def test_without_a_source_nothing_is_judged() -> None:
    assert [list(rule.judge(Release(Bundle(), source=Source()))) for rule in values_usage.RULES] == [[], []]

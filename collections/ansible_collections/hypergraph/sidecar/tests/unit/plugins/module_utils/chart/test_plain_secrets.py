# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials are found where they stand to be read, and what only names one is left alone."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.plain_secrets import RULES
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chart.wired import (
    CERTIFICATE,
    CONTAINER,
    NIGHTLY,
    OWN_SECRET,
    SETTINGS,
    WEB,
    broken,
    release,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import Edit


def variable(name: str, value: str) -> Edit:
    return WEB, (*CONTAINER, "env", 2), {"name": name, "value": value}


def script(text: str) -> Edit:
    return WEB, (*CONTAINER, "command"), ["/bin/sh", "-ec", text]


VIOLATIONS: list[tuple[str, list[Edit], str]] = [
    ("secret-in-plain-text", [variable("DB_PASSWORD", "hunter2-hunter2")], "DB_PASSWORD holds a literal value of 15 characters"),
    ("secret-in-plain-text", [variable("apiKey", "hunter2-hunter2")], "apiKey holds"),
    ("secret-in-plain-text", [variable("PIN_SECRET", "1234567")], "PIN_SECRET holds"),
    ("secret-in-plain-text", [variable("SOMETHING", "sk-abcdefghijklmnopqrstuvwxyz")], "SOMETHING holds"),
    ("secret-in-plain-text", [variable("DSN", "postgres://web:hunter2-hunter2@db:5432/web")], "DSN holds"),
    ("secret-in-plain-text", [variable("WORD", "AKIAIOSFODNN7EXAMPLE")], "WORD holds"),
    ("secret-in-plain-text", [(WEB, (*CONTAINER, "args", 0), "--password=hunter2-hunter2")], "password holds a literal value of 15"),
    ("secret-in-plain-text", [(WEB, (*CONTAINER, "args"), ["-auth-token", "hunter2-hunter2"])], "auth_token holds"),
    ("secret-in-plain-text", [(WEB, (*CONTAINER, "command"), ["env", "API_TOKEN=hunter2-hunter2", "web"])], "API_TOKEN holds"),
    ("secret-in-plain-text", [(WEB, (*CONTAINER, "args", 2), "-----BEGIN RSA PRIVATE KEY-----\nMIIB")], "holds a literal value"),
    (
        "secret-in-plain-text",
        [(NIGHTLY, ("spec", "jobTemplate", "spec", "template", "spec", "containers", 0, "args"), ["--token=hunter2x"])],
        "token",
    ),
    ("secret-in-plain-text", [script("exec web --password=hunter2 --log info")], "password holds a literal value of 7 characters"),
    ("secret-in-plain-text", [script("exec web --log info --password 'hunter2 hunter2'")], "password holds a literal value of 15"),
    ("secret-in-plain-text", [script('PGPASSWORD=hunter2 psql "$DSN" -c "select 1"')], "PGPASSWORD holds a literal value of 7"),
    ("secret-in-plain-text", [script("# don't\nset -e; export API_TOKEN=hunter2\nexec web ${LEVEL}")], "API_TOKEN holds"),
    ("secret-in-plain-text", [script("web \\\n  --auth-token \\\n  hunter2")], "auth_token holds a literal value of 7"),
    ("secret-in-plain-text", [script("su web -c \"mysql --password='hunter2' -u $USER\"")], "password holds a literal value of 7"),
    ("secret-in-plain-text", [script("ROOT_PASSWORD='hun$ter2' web")], "ROOT_PASSWORD holds a literal value of 8"),
    ("secret-in-plain-text", [script("curl -H 'Authorization: Bearer hunter2hunter2' http://store")], "an argument holds"),
    ("secret-in-plain-text", [(WEB, (*CONTAINER, "args"), ["-H", "authorization: basic d2ViOmh1bnRlcjI="])], "H holds"),
    ("secret-in-plain-text", [(WEB, (*CONTAINER, "command"), ["web", "--token"]), (WEB, (*CONTAINER, "args"), ["hunter2"])], "token holds"),
    (
        "secret-in-plain-text",
        [(WEB, (*CONTAINER, "livenessProbe"), {"exec": {"command": ["sh", "-c", "REDIS_PASSWORD=hunter2 redis-cli ping"]}})],
        "REDIS_PASSWORD holds",
    ),
    (
        "secret-in-plain-text",
        [(WEB, (*CONTAINER, "lifecycle"), {"preStop": {"exec": {"command": ["web-ctl", "--token=hunter2", "drain"]}}})],
        "token holds",
    ),
    ("secret-in-plain-text", [(SETTINGS, ("data", "REDIS_PASSWORD"), "hunter2-hunter2")], "REDIS_PASSWORD holds"),
    ("secret-in-plain-text", [(SETTINGS, ("data", "web.conf"), "upstream https://web:hunter2-hunter2@llm.example.org")], "web.conf holds"),
    ("secret-rendered", [OWN_SECRET], "values of token"),
    ("secret-rendered", [("Secret/filled-later", ("data",), {"token": "YTFiMmMzZDRlNWY2"})], "values of token"),
]

NEAR_MISSES: list[tuple[str, list[Edit]]] = [
    ("secret-in-plain-text", [variable("DB_PASSWORD", "$(TOKEN)")]),
    *(
        ("secret-in-plain-text", [script(text)])
        for text in (
            "exec web --password=$(TOKEN) --log info",
            "exec web --password ${TOKEN} && sleep 5",
            'PGPASSWORD=$TOKEN psql; REDIS_PASSWORD="$A$B" redis-cli; TOKEN= web',
            "PGPASSWORD=$(cat /run/secrets/password) psql -c 'select 1'",
            'export PASSWORD="$(cat "/run/secrets/password")" TOKEN=`cat /run/secrets/token` web',
            "web --password-file=/run/secrets/password --token /run/secrets/token",
            "web --show-token; sleep 5",
            "web --show-token | tee /tmp/token\nweb --show-token\nsleep 5",
            "# run with --password hunter-gatherer\nweb",
            "echo 'run it with --token given'",
            'curl -H "Authorization: Bearer $TOKEN" -H "Authorization: Bearer ${TOKEN}" -H "Authorization: Bearer $(TOKEN)" http://store',
            "curl -H 'Authorization: Bearer '\"$(cat /run/secrets/token-of-the-web)\" http://store",
            "su web -c \"mysql --password='$TOKEN' -u web\"",
            'if [ -z "$TOKEN" ]; then echo "no token" >&2; exit 1; fi; exec web "$@"',
            "web --token '",
        )
    ),
    ("secret-in-plain-text", [(WEB, (*CONTAINER, "args"), ["-c", "/etc/web.conf", "--verbose"])]),
    ("secret-in-plain-text", [(WEB, (*CONTAINER, "readinessProbe"), {"exec": {"command": ["web-ctl", "--token", "$(TOKEN)"]}})]),
    ("secret-in-plain-text", [variable("DB_PASSWORD", "")]),
    ("secret-in-plain-text", [variable("DB_PASSWORD", "vault:secret/data/db#password")]),
    ("secret-in-plain-text", [variable("DB_PASSWORD_FILE", "/run/secrets/password"), (SETTINGS, ("data", "TOKEN_TTL"), "15m")]),
    ("secret-in-plain-text", [variable("ALLOW_CREDENTIALS", "true")]),
    ("secret-in-plain-text", [variable("MAX_TOKEN", "4096")]),
    ("secret-in-plain-text", [variable("TOKENIZER", "cl100k-base-and-more"), (SETTINGS, ("data", "SECRET_NAME"), "anything-at-all")]),
    ("secret-in-plain-text", [variable("TLS_SECRET", "certificate")]),
    ("secret-in-plain-text", [(WEB, (*CONTAINER, "args", 0), "--tls-secret=shop/certificate")]),
    ("secret-in-plain-text", [CERTIFICATE, (CERTIFICATE[0], ("spec", "secretName"), "made-here"), variable("TLS_SECRET", "made-here")]),
    ("secret-in-plain-text", [variable("DSN", "postgres://web:$(PASSWORD)@db:5432/web")]),
    ("secret-in-plain-text", [variable("DSN", "http://llm.example.org:8080/v1?at=web@home")]),
    ("secret-in-plain-text", [variable("WORD", "task-sk-short"), (WEB, (*CONTAINER, "args"), ["--token", "--verbose"])]),
    ("secret-in-plain-text", [variable("EOS_TOKEN", "<|endoftext|>")]),
    ("secret-rendered", [("Secret/filled-later", ("data",), {"token": ""})]),
]


def test_the_reference_shows_no_secret_and_is_looked_at() -> None:
    judged = release()
    for rule in RULES:
        assert list(map(str, broken(RULES, rule.id, judged))) == [], rule.id
        assert list(rule.judge(judged)), rule.id


@pytest.mark.parametrize(("rule", "edits", "told"), VIOLATIONS)
def test_a_violation_is_found_and_told_without_the_secret(rule: str, edits: list[Edit], told: str) -> None:
    found = broken(RULES, rule, release(*edits))
    assert [told in outcome.observed for outcome in found] == [True], list(map(str, found))
    said = " ".join(map(str, found))
    assert "hunter2" not in said, said
    assert "a1b2c3d4" not in said, said


@pytest.mark.parametrize(("rule", "edits"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit]) -> None:
    assert list(map(str, broken(RULES, rule, release(*edits)))) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert {rule.id for rule in RULES} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}

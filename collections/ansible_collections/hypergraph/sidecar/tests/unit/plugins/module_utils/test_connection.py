# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection arguments: every bad one is named, with what was expected and how to mend it, and without a secret."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import (
    Connection,
    Token,
    checked_url,
    connect,
    refuse_short_tokens,
    secrets_in,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor

SECRET = "Zq8vX3c9K1m2n3p4"


def token(**changed: Any) -> dict[str, Any]:
    return {"name": "alpha-writer", "token": SECRET, "tenant_id": "alpha", "scopes": ["traces:write"], "subject": None, **changed}


def params(**changed: Any) -> dict[str, Any]:
    return {
        "base_url": "https://gateway.example.org",
        "tokens": [token()],
        "auth_mode": "static",
        "ca_path": None,
        "validate_certs": True,
        "timeout": 10.0,
        "deadline": 60.0,
        **changed,
    }


def refusal(**changed: Any) -> CheckError:
    with pytest.raises(CheckError) as raised:
        connect(params(**changed))
    assert raised.value.action
    return raised.value


def test_arguments_become_a_connection() -> None:
    reader = token(name="reader", token=f"{SECRET}-2", scopes=["traces:read", "traces:write"], subject="ci")
    connection = connect(
        params(base_url="https://gateway.example.org:8443/sidecar//", tokens=[token(), token(name="gone", token=""), reader])
    )
    assert connection.base_url == "https://gateway.example.org:8443/sidecar"
    assert connection.tokens == (
        Token("alpha-writer", SECRET, "alpha", frozenset({"traces:write"})),
        Token("reader", f"{SECRET}-2", "alpha", frozenset({"traces:read", "traces:write"}), "ci"),
    )
    assert connection.absent_tokens == ("gone",)
    assert (connection.timeout, connection.deadline, connection.validate_certs, connection.ca_path) == (10.0, 60.0, True, None)


def test_no_value_of_a_token_is_shown_by_accident() -> None:
    assert SECRET not in repr(connect(params()))


def test_tokens_are_found_by_scope_and_tenant() -> None:
    reader = Token("reader", "reader-secret", "alpha", frozenset({"traces:read"}))
    writer = Token("writer", "writer-secret", "beta", frozenset({"traces:read", "traces:write"}))
    connection = Connection("http://x", (reader, writer))
    assert connection.token_with("traces:read") is reader
    assert connection.token_with("traces:read", tenant_id="beta") is writer
    assert connection.token_with() is reader
    assert connection.token_with("traces:write", tenant_id="alpha") is None
    assert connection.tenants() == ("alpha", "beta")
    assert writer.has("traces:read", "traces:write")
    assert not reader.has("traces:read", "traces:write")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("HTTPS://Gateway.Example.ORG/", "HTTPS://Gateway.Example.ORG"),
        ("https://münchen.example/sidecar/", "https://münchen.example/sidecar"),
        ("https://host/path@2", "https://host/path@2"),
        ("https://host/v1beta", "https://host/v1beta"),
    ],
)
def test_a_good_url_stays_as_it_is(url: str, kept: str) -> None:
    assert connect(params(base_url=url)).base_url == kept


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "it does not begin with http:// or https:// and a host"),
        ("gateway.example.org", "it does not begin with http:// or https:// and a host"),
        ("gateway.example.org:8080", "it does not begin with http:// or https:// and a host"),
        ("ftp://gateway.example.org", "it does not begin with http:// or https:// and a host"),
        ("http:gateway.example.org", "it does not begin with http:// or https:// and a host"),
        ("the-lab-is-down:start-it-with-make-lab-up", "it does not begin with http:// or https:// and a host"),
        ("https://", "it does not begin with http:// or https:// and a host"),
        ("https://:8080", "it names no host"),
        ("https://host:", ""),
        ("https://host:0", "its port is not a number from 1 to 65535"),
        ("https://host:65536", "its port is not a number from 1 to 65535"),
        ("https://host:http", "its port is not a number from 1 to 65535"),
        ("https://[::1", "it cannot be read as a URL"),
        ("https://ho\u2100st", "it cannot be read as a URL"),
        ("https://host?x=1", "it has a query or fragment"),
        ("https://host/#top", "it has a query or fragment"),
        ("https://host/?", "it has a query or fragment"),
        ("https://host /x", "it contains white space or control characters"),
        ("https://host\n", "it contains white space or control characters"),
        ("\thttps://host", "it contains white space or control characters"),
        ("https://host\x00", "it contains white space or control characters"),
        ("https://host/v1", "it ends in /v1, which the paths of the API bring along"),
        ("https://host/v1/", "it ends in /v1, which the paths of the API bring along"),
    ],
)
def test_a_bad_url_is_named_with_what_is_wrong(url: str, said: str) -> None:
    if not said:
        assert connect(params(base_url=url)).base_url == url
        return
    fault = refusal(base_url=url)
    assert fault.reason_code == "bad-url"
    assert fault.reason.startswith("base_url ")
    assert fault.reason.endswith(said)


@pytest.mark.parametrize(
    "url",
    [
        f"https://admin:{SECRET}@gateway.example.org",
        f"https://{SECRET}@gateway.example.org",
        f"https://admin:{SECRET}@gateway.example.org:99999",
        f"https://admin:{SECRET}/x@gateway.example.org",
        f"https://admin:x/{SECRET}@gateway.example.org",
        f"https://admin:{SECRET}%40@gateway.example.org",
        f"admin:{SECRET}@gateway.example.org",
        f"admin:{SECRET}@",
        f"https://admin:x@{SECRET}@gateway.example.org",
        f"https://[admin:{SECRET}@gateway.example.org",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    fault = refusal(base_url=url)
    assert fault.reason_code == "bad-url"
    assert SECRET not in f"{fault.reason} {fault.action}"
    redactor = Redactor(secrets_in(params(base_url=url)))
    assert SECRET not in redactor.text(f"Invoked with {url} here")


def test_a_password_without_its_host_is_a_secret_too() -> None:
    assert SECRET in secrets_in({"base_url": f"https://admin:{SECRET}"})


@pytest.mark.parametrize(
    "url",
    [
        "https://host",
        "https://host:8080/path:x",
        "http://[::1]:80",
        "http://[::1]",
        "the-lab-is-down: start it",
        "host:8080",
        "https://host/a@b",
    ],
)
def test_a_url_without_credentials_has_no_secret(url: str) -> None:
    assert secrets_in({"base_url": url}) == []


def test_the_argument_of_another_url_is_named() -> None:
    with pytest.raises(CheckError, match="webhook_public_url 'nowhere'"):
        checked_url("webhook_public_url", "nowhere")
    assert checked_url("endpoint_url", "http://dynamo:8000/v1/") == "http://dynamo:8000/v1"


def test_a_long_url_is_shown_in_part() -> None:
    fault = refusal(base_url="ftp://host/" + "x" * 10_000)
    assert len(fault.reason) < 200


@pytest.mark.parametrize("name", ["timeout", "deadline"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), 1e12])
def test_a_time_is_more_than_nothing_and_no_more_than_a_week(name: str, value: float) -> None:
    fault = refusal(**{name: value})
    assert fault.reason_code == "bad-timeout"
    assert fault.reason.startswith(f"{name} is {value}")


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([token(token="Zq8vX")], "token 'alpha-writer': it has 5 characters, expected at least 8"),
        ([token(token=f"{SECRET}\n")], "it has characters that an Authorization header cannot carry"),
        ([token(token=f"{SECRET} {SECRET}")], "it has characters that an Authorization header cannot carry"),
        ([token(token=f"{SECRET}\r\nX-Tenant: b")], "it has characters that an Authorization header cannot carry"),
        ([token(token=f"{SECRET}é")], "it has characters that an Authorization header cannot carry"),
        ([token(token=f"{SECRET}=x")], "it has characters that an Authorization header cannot carry"),
        ([token(tenant_id="")], "its tenant_id is empty"),
        ([token(tenant_id="  ")], "its tenant_id is empty"),
        ([token(tenant_id=None)], "its tenant_id is empty"),
        ([token(name=" ")], "token ' ': its name is empty"),
        ([token(), token(token=f"{SECRET}2")], "another token has the same name"),
        ([token(), token(name="twin")], "token 'twin': it has the same value as token 'alpha-writer'"),
    ],
)
def test_a_bad_token_is_named_and_not_shown(tokens: list[dict[str, Any]], said: str) -> None:
    fault = refusal(tokens=tokens)
    assert fault.reason_code == "bad-token"
    assert said in fault.reason
    assert "sidecar_tokens" in fault.action
    assert not [item for item in tokens if item["token"] in f"{fault.reason}{fault.action}"]


def test_a_number_is_a_token_too() -> None:
    assert connect(params(tokens=[token(token=1234567890)])).tokens[0].value == "1234567890"
    assert secrets_in(params(tokens=[token(token=1234567890)])) == ["1234567890"]


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_token_is_absent(empty: Any) -> None:
    connection = connect(params(tokens=[token(token=empty, tenant_id="")]))
    assert (connection.tokens, connection.absent_tokens) == ((), ("alpha-writer",))


@pytest.mark.parametrize(
    "tokens",
    [
        [token()],
        (token(),),
        token(),
        {"alpha": token()},
        [[token()]],
        [f"name=alpha token={SECRET} tenant_id=a"],
        f'[{{"name": "alpha", "token": "{SECRET}"}}]',
        [SECRET],
        {"alpha": SECRET},
    ],
)
def test_secrets_are_found_in_tokens_of_any_shape(tokens: Any) -> None:
    assert SECRET in secrets_in({"tokens": tokens})


def test_secrets_are_found_in_urls_of_any_argument() -> None:
    found = secrets_in({"endpoints": [{"url": f"http://scraper:{SECRET}@host/metrics"}], "routes": {"x": ("https://ci:p%40ss@h",)}})
    assert {SECRET, "p%40ss", "p@ss"} <= set(found)


@pytest.mark.parametrize("arguments", [{}, {"tokens": None, "base_url": None}, {"tokens": 5, "base_url": 7}, {"tokens": [None, 1]}])
def test_looking_for_secrets_never_fails(arguments: dict[str, Any]) -> None:
    assert secrets_in(arguments) == []


def test_names_and_scopes_are_no_secrets() -> None:
    found = secrets_in(params(base_url="https://host/path@2"))
    assert found == [SECRET]


@pytest.mark.parametrize("tokens", [None, "text", [], [token()], [token(token="")], ["text"], [{"name": "x"}]])
def test_only_short_tokens_are_refused_beforehand(tokens: Any) -> None:
    refuse_short_tokens({"tokens": tokens})


def test_a_short_token_is_refused_beforehand() -> None:
    with pytest.raises(CheckError, match="token 'reader': it has 4 characters, expected at least 8") as raised:
        refuse_short_tokens({"tokens": [token(), token(name="reader", token="pass")]})
    assert raised.value.reason_code == "bad-token"

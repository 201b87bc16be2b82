# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent to whom: redirects, credentials lying about, paths and proxies change nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.http_client.requesting import TOKEN, client, fault_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import http, talking


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_a_redirect_is_not_followed(status: str) -> None:
    with talking(http(b"{}")) as other:
        with talking(http(b"<a>moved</a>", f"Location: {other.url}/login", "Content-Type: text/html", status=status)) as peer:
            answer = client(peer.url).get("/", TOKEN)
            assert (answer.status, answer.headers["location"]) == (int(status[:3]), f"{other.url}/login")
            with pytest.raises(CheckError, match=r"redirecting to .*/login \(not followed\) with text/html") as raised:
                answer.json()
            assert raised.value.reason_code == "answer-not-json"
        assert other.requests == []


@pytest.mark.parametrize("location", ["http://[", "javascript:alert(1)", "", "http://h:x/"])
def test_a_redirect_to_nonsense_is_an_answer(location: str) -> None:
    with talking(http(b"{}", f"Location: {location}", status="302 x")) as peer:
        assert client(peer.url).get("/", TOKEN).status == 302


def test_netrc_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login intruder password from-netrc\ndefault login intruder password from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with talking(http(b"{}")) as peer:
        client(peer.url).get("/", TOKEN)
        client(peer.url).get("/")
    first, second = peer.headers()
    assert first["authorization"] == f"Bearer {TOKEN.value}"
    assert "authorization" not in second


def test_a_cookie_does_not_speak_for_the_next_caller() -> None:
    with talking(http(b"{}", "Set-Cookie: session=of-alpha; Path=/")) as peer:
        speaker = client(peer.url)
        speaker.get("/", TOKEN)
        speaker.get("/")
    assert not [headers for headers in peer.headers() if "cookie" in headers]


@pytest.mark.parametrize("path", ["", "v1/models", "@other.example/", ".other.example/", ":1/x", "http:/x"])
def test_a_path_without_slash_would_change_the_host(path: str) -> None:
    with talking(http(b"{}")) as peer:
        with pytest.raises(CheckError, match="does not begin with a slash") as raised:
            client(peer.url).get(path, TOKEN)
        assert (raised.value.reason_code, peer.requests) == ("bad-url", [])


def test_a_path_that_looks_like_another_host_is_a_path() -> None:
    with talking(http(b"{}")) as peer:
        client(peer.url).get("//", TOKEN)
    assert peer.requests[0].startswith(b"GET /")


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(http(b'{"by": "proxy"}')) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert client("http://gateway.invalid").get("/v1/models", TOKEN).json() == {"by": "proxy"}
        assert proxy.requests[0].startswith(b"GET http://gateway.invalid/v1/models HTTP/1.1")
        monkeypatch.setenv("no_proxy", "gateway.invalid")
        assert (
            fault_of("http://gateway.invalid", timeout=60.0).reason
            == "GET http://gateway.invalid/v1/models: the host name does not resolve"
        )
        assert len(proxy.requests) == 1


def test_a_proxy_for_tls_never_sees_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(http(b"", status="403 Forbidden")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        fault = fault_of("https://gateway.invalid")
    assert fault.reason_code == "proxy-unusable"
    assert proxy.requests[0].startswith(b"CONNECT gateway.invalid:443 ")
    assert TOKEN.value.encode() not in proxy.requests[0]


@pytest.mark.parametrize(
    "proxy", ["http://127.0.0.1:{closed}", "http://user:hunter2-secret@127.0.0.1:{closed}", "ftp://127.0.0.1", "http://", "http:///"]
)
def test_a_proxy_that_is_none_is_named_as_the_cause(proxy: str, closed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", proxy.format(closed=closed))
    fault = fault_of("http://gateway.invalid", timeout=60.0)
    assert fault.reason_code == "proxy-unusable"
    assert "NO_PROXY" in fault.action
    assert "hunter2" not in fault.reason

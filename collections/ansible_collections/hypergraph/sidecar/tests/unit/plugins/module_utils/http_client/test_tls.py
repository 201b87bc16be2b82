# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is trusted over TLS, and what is said where it fails."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_faults import no_answer
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.http_client.requesting import TOKEN, client, fault_of, wrapped
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import answering, http, talking


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, *names: str, **options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def test_a_certificate_of_the_given_authority_is_trusted(authority: trustme.CA, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(http(b"{}"), tls=serving(authority, "127.0.0.1")) as peer:
        assert client(peer.url, ca_path=bundle).get("/", TOKEN).json() == {}
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
        assert client(peer.url).get("/", TOKEN).json() == {}
        assert client(peer.url, ca_path=bundle, validate_certs=False).get("/", TOKEN).json() == {}


def test_a_directory_of_authorities_is_accepted(tmp_path: Path, authority: trustme.CA) -> None:
    with talking(http(b"{}"), tls=serving(authority, "127.0.0.1")) as peer:
        assert fault_of(peer.url, ca_path=str(tmp_path)).reason_code == "tls-untrusted"


def test_an_unknown_authority_is_not_trusted(authority: trustme.CA) -> None:
    with talking(http(b"{}"), tls=serving(authority, "127.0.0.1")) as peer:
        fault = fault_of(peer.url)
        assert client(peer.url, validate_certs=False).get("/", TOKEN).json() == {}
    assert fault.reason_code == "tls-untrusted"
    assert "certificate verify failed: unable to get local issuer certificate" in fault.reason
    assert "ca_path" in fault.action
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    ("name", "days", "said", "remedy"),
    [
        ("gateway.example.org", 1, "IP address mismatch, certificate is not valid for '127.0.0.1'", "name in its certificate"),
        ("127.0.0.1", -1, "certificate has expired", "clock"),
    ],
    ids=["another name", "expired"],
)
def test_a_certificate_that_does_not_fit_is_not_trusted(
    authority: trustme.CA, bundle: str, name: str, days: int, said: str, remedy: str
) -> None:
    not_after = datetime.now(timezone.utc) + timedelta(days=days)
    with talking(http(b"{}"), tls=serving(authority, name, not_after=not_after)) as peer:
        fault = fault_of(peer.url, ca_path=bundle)
    assert fault.reason_code == "tls-untrusted"
    assert said in fault.reason
    assert remedy in fault.action


def test_the_older_library_that_compares_names_itself_is_understood() -> None:
    from urllib3.util.ssl_match_hostname import CertificateError

    fault = no_answer("GET https://h/", wrapped(CertificateError("hostname 'h' doesn't match 'x'")), 5)
    assert (fault.reason_code, "name in its certificate" in fault.action) == ("tls-untrusted", True)


def test_https_to_a_plain_port_is_the_wrong_scheme() -> None:
    with talking(answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), reads=False) as peer:
        fault = fault_of(peer.url.replace("http:", "https:"))
    assert (fault.reason_code, fault.action) == ("wrong-scheme", "Use http:// in the address, or the TLS port.")


def test_http_to_a_tls_port_hints_at_the_scheme(authority: trustme.CA) -> None:
    with talking(http(b"{}"), tls=serving(authority, "127.0.0.1")) as peer:
        fault = fault_of(peer.url.replace("https:", "http:"))
    assert fault.reason_code == "answer-unreadable"
    assert "a TLS port asked over plain HTTP answers so" in fault.reason


def test_a_handshake_that_fails_says_what_openssl_says(authority: trustme.CA, bundle: str) -> None:
    context = serving(authority, "127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("NULL-SHA256:@SECLEVEL=0")
    with talking(http(b"{}"), tls=context) as peer:
        fault = fault_of(peer.url, ca_path=bundle)
    assert fault.reason_code == "tls-failed"
    assert "handshake" in fault.reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        ("not a certificate", "is no readable bundle of certificates"),
        ("", "is no readable bundle of certificates"),
    ],
)
@pytest.mark.parametrize("by", ["ca_path", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_that_is_none_is_named(by: str, content: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    if by == "REQUESTS_CA_BUNDLE":
        monkeypatch.setenv(by, str(path))
    with pytest.raises(CheckError) as raised:
        client("https://127.0.0.1:1", **({"ca_path": str(path)} if by == "ca_path" else {}))
    assert (raised.value.reason_code, raised.value.reason) == ("ca-unusable", f"{by} {path} {said}")

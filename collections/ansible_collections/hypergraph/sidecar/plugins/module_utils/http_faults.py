# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a request got no usable answer, told by the exception at the bottom of what the HTTP library raised.

Only the kind of an exception is used and never its words, which may quote headers and addresses with what is secret in them.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

from .faults import CheckError

# What OpenSSL calls plain text where a TLS record should be, by version: 1.1 and 3.0, 3.2, and some LibreSSL.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST")
# X509_V_ERR_* of openssl/x509_vfy.h
_EXPIRED = (9, 10)
_OTHER_NAME = (62, 64)
_HANGS = "Find out why the service hangs, or raise timeout."
_RENAME = "Address the service by a name in its certificate, or issue one for this name."


def no_answer(where: str, problem: Exception, timeout: float) -> CheckError:
    """The fault of a request ``where`` (method and URL) to which no answer began. ``timeout`` is in seconds."""
    causes = tuple(_causes(problem))
    plain = where.partition(" ")[2].startswith("http:")
    for row in (*_addressed_wrong(), *_encrypted_wrong(), *_transported_wrong(timeout, plain)):
        cause = _among(causes, row.kinds)
        if isinstance(cause, ssl.SSLError) and row.code == "tls-failed":
            return _tls(where, cause)
        if cause:
            return CheckError(row.code, f"{where}: {row.why}", row.action)
    system = next((cause for cause in causes if isinstance(cause, OSError) and cause.errno), None)
    if system and system.errno:
        return CheckError("service-unreachable", f"{where}: {os.strerror(system.errno).lower()}", "Check address, network and firewall.")
    return CheckError("answer-unreadable", f"{where}: {type(causes[-1]).__name__}", "Check that the address is the service itself.")


def closed_without_answer(problem: Exception) -> bool:
    """Whether there was a connection, and the service closed it before it sent a byte."""
    return bool(_among(tuple(_causes(problem)), (ConnectionResetError, BrokenPipeError)))


def broken_answer(where: str, problem: Exception, timeout: float) -> CheckError:
    """The fault of an answer that began and could not be read to its end."""
    from urllib3.exceptions import ReadTimeoutError

    if _among(tuple(_causes(problem)), (ReadTimeoutError,)):
        return CheckError("answer-timeout", f"{where}: the answer stalled for {timeout:g} s", _HANGS)
    return CheckError("answer-truncated", f"{where}: the answer broke off in the middle", "Look for a crash or proxy limit.")


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """The exception and those it was made of, each before its own causes. Libraries keep them as reason, argument or context."""
    pending: list[object] = [problem]
    seen: set[int] = set()
    while pending:
        cause = pending.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            pending += [getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__]
            yield cause


def _among(causes: tuple[BaseException, ...], kinds: tuple[type[BaseException], ...]) -> BaseException | None:
    return next((cause for cause in causes if isinstance(cause, kinds)), None)


class _Row(NamedTuple):
    """What to say where an exception of one of the kinds is at the bottom."""

    kinds: tuple[type[BaseException], ...]
    code: str
    why: str
    action: str


def _addressed_wrong() -> Iterator[_Row]:
    from requests import exceptions
    from urllib3.exceptions import LocationValueError, ProxySchemeUnknown

    yield _Row(
        (exceptions.InvalidProxyURL, exceptions.ProxyError, ProxySchemeUnknown),
        "proxy-unusable",
        "the proxy that the environment names for this address cannot be used",
        "Correct HTTP_PROXY or HTTPS_PROXY, or except the host by NO_PROXY.",
    )
    yield _Row(
        (exceptions.InvalidURL, exceptions.InvalidSchema, LocationValueError, UnicodeError),
        "bad-url",
        "this is no address that can be asked",
        "Correct the address in the inventory.",
    )


def _encrypted_wrong() -> Iterator[_Row]:
    from urllib3.util.ssl_match_hostname import CertificateError

    yield _Row((ssl.SSLError,), "tls-failed", "", "")
    # urllib3 before 2.0 compares names itself.
    yield _Row((CertificateError,), "tls-untrusted", "certificate verify failed: it is not issued for this name", _RENAME)


def _transported_wrong(timeout: float, plain: bool) -> Iterator[_Row]:
    from requests import exceptions

    hint = " (a TLS port asked over plain HTTP answers so)" if plain else ""
    mend = "Start the service, or correct the address in the inventory."
    yield _Row((exceptions.ConnectTimeout,), "service-unreachable", f"no connection within {timeout:g} s", "Check network and firewall.")
    yield _Row((exceptions.ReadTimeout,), "answer-timeout", f"no answer within {timeout:g} s", _HANGS)
    yield _Row((socket.gaierror,), "service-unreachable", "the host name does not resolve", mend)
    yield _Row((ConnectionRefusedError,), "service-unreachable", "nothing accepts connections there", mend)
    closed = f"the connection closed without an HTTP answer{hint}"
    yield _Row((ConnectionError,), "answer-unreadable", closed, "Check scheme and port, and the service's log.")
    yield _Row((http.client.BadStatusLine,), "answer-unreadable", f"what came is not HTTP{hint}", "Check scheme and port.")
    broken = "the headers of the answer are broken, too many or too long"
    yield _Row((http.client.HTTPException,), "answer-unreadable", broken, "Check that the address is the service itself.")


def _tls(where: str, problem: ssl.SSLError) -> CheckError:
    if isinstance(problem, ssl.SSLCertVerificationError):
        action = "Point ca_path at the CA that signed the gateway's certificate."
        if problem.verify_code in _EXPIRED:
            action = "Renew the certificate, or correct the clock of the machine that runs the check."
        if problem.verify_code in _OTHER_NAME:
            action = _RENAME
        return CheckError("tls-untrusted", f"{where}: certificate verify failed: {problem.verify_message}", action)
    said = (problem.reason or "").upper().replace(" ", "_")
    if any(name in said for name in _NOT_TLS):
        return CheckError("wrong-scheme", f"{where}: the port does not speak TLS", "Use http:// in the address, or the TLS port.")
    told = f" ({said.lower().replace('_', ' ')})" if said else ""
    return CheckError("tls-failed", f"{where}: the TLS handshake failed{told}", "Check the TLS versions and certificate of the service.")

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as a verifier needs it: nothing followed, nothing endless, nothing sent where it was not meant to go.

Redirects are answers, not instructions (a token never travels to another host); bodies are read up to a limit and a deadline; ``.netrc`` is
not consulted, since it would replace the token under test. Every way a connection can go wrong has a reason code and a remedy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import strict_json
from .connection import Connection, Token
from .faults import CheckError

if TYPE_CHECKING:
    import requests

MAX_BODY = 4 * 1024 * 1024
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, whole. ``elapsed`` is seconds from send to the last byte; header names are lower-case."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    elapsed: float

    @property
    def content_type(self) -> str:
        """The media type without parameters, lower-case."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 show as replacement characters."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as strict JSON. Raises CheckError saying what came instead: another media type, a redirect, truncated text."""
        try:
            return strict_json.loads(self.body)
        except ValueError as problem:
            what = f"{self.method} {self.url} answered {self.status}"
            if 300 <= self.status < 400:
                what += f" redirecting to {self.headers.get('location', 'nowhere')} (not followed)"
            reason = f"{what} with {self.content_type or 'no content type'}, expected JSON: {problem}; it begins {self.body[:60]!r}"
            raise CheckError(
                "answer-not-json", reason, "Check that base_url names the gateway itself, not a proxy or login page."
            ) from None


class Client:
    """Speaks to one environment over kept-alive connections. Not for use by several threads at once."""

    def __init__(self, connection: Connection) -> None:
        import requests

        self._connection = connection
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = _trust(connection)
        self._session.headers.update({"User-Agent": "hypergraph.sidecar"})
        if not connection.validate_certs:
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def request(
        self,
        method: str,
        path_or_url: str,
        token: Token | str | None = None,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        max_body: int = MAX_BODY,
    ) -> Answer:
        """Send one request and read the whole answer, whatever its status.

        ``path_or_url`` is a path below ``base_url`` or an absolute URL. Raises CheckError where there is no answer, or it is larger than
        ``max_body`` bytes or slower than the connection's timeout in seconds.
        """
        import requests

        url = path_or_url if "://" in path_or_url else self._connection.base_url + path_or_url
        sent = {"Accept": "application/json", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token.value if isinstance(token, Token) else token}"
        started = time.monotonic()
        try:
            with self._session.request(
                method,
                url,
                json=json,
                headers=sent,
                timeout=self._connection.timeout,
                allow_redirects=False,
                stream=True,
                proxies=requests.utils.get_environ_proxies(url),
            ) as response:
                body = self._body(response, url, max_body, started)
        except requests.RequestException as problem:
            raise _fault(method, url, problem, self._connection.timeout) from None
        kept = {name.lower(): value for name, value in response.headers.items()}
        return Answer(method, url, response.status_code, kept, body, time.monotonic() - started)

    def get(self, path_or_url: str, token: Token | str | None = None, **options: Any) -> Answer:
        """``request`` with GET."""
        return self.request("GET", path_or_url, token, **options)

    def post(self, path_or_url: str, token: Token | str | None = None, **options: Any) -> Answer:
        """``request`` with POST."""
        return self.request("POST", path_or_url, token, **options)

    def _body(self, response: requests.Response, url: str, max_body: int, started: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        for chunk in response.iter_content(_CHUNK):
            size += len(chunk)
            if size > max_body:
                reason = f"{url} answered more than {max_body} bytes"
                raise CheckError("answer-too-large", reason, "Check that the address is the service itself.")
            if time.monotonic() - started > self._connection.timeout:
                reason = f"{url} was still sending its answer after {self._connection.timeout:g} s ({size} bytes so far)"
                raise CheckError("answer-timeout", reason, "Find out why the answer does not end, or raise timeout.")
            parts.append(chunk)
        return b"".join(parts)


def _trust(connection: Connection) -> bool | str:
    if not connection.validate_certs:
        return False
    if connection.ca_path and not os.path.exists(connection.ca_path):  # noqa: PTH110
        raise CheckError("ca-missing", f"ca_path {connection.ca_path} does not exist", "Point ca_path at the CA bundle of the environment.")
    return connection.ca_path or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _fault(method: str, url: str, problem: requests.RequestException, timeout: float) -> CheckError:
    """The reason code and remedy for a request that got no usable answer."""
    import requests

    where = f"{method} {url}"
    scheme = urlsplit(url).scheme
    said = str(problem)
    if isinstance(problem, requests.exceptions.SSLError):
        if "WRONG_VERSION_NUMBER" in said or "record layer failure" in said or "UNKNOWN_PROTOCOL" in said:
            return CheckError("wrong-scheme", f"{where}: the port does not speak TLS", "Use http:// in the address, or the TLS port.")
        if "CERTIFICATE_VERIFY_FAILED" in said:
            why = said.split("CERTIFICATE_VERIFY_FAILED]")[-1].split("(_ssl")[0].strip(" :")
            return CheckError("tls-untrusted", f"{where}: {why}", "Point ca_path at the CA that signed the gateway's certificate.")
        return CheckError("tls-failed", f"{where}: the TLS handshake failed", "Check the TLS versions and certificate of the service.")
    if isinstance(problem, requests.exceptions.ConnectTimeout):
        return CheckError("service-unreachable", f"{where}: no connection within {timeout:g} s", "Check address, network and firewall.")
    if isinstance(problem, requests.exceptions.ReadTimeout):
        return CheckError("answer-timeout", f"{where}: no answer within {timeout:g} s", "Find out why the service hangs, or raise timeout.")
    if isinstance(problem, requests.exceptions.ConnectionError):
        if "BadStatusLine" in said or "RemoteDisconnected" in said or "Connection reset" in said or "Connection aborted" in said:
            hint = " (a TLS port asked over plain HTTP answers so)" if scheme == "http" else ""
            return CheckError("answer-unreadable", f"{where}: the connection closed without an HTTP answer{hint}", "Check scheme and port.")
        if "timed out" in said:
            return CheckError("answer-timeout", f"{where}: the answer stalled for {timeout:g} s", "Find out why the service hangs.")
        why = "the host name does not resolve" if "NameResolution" in said or "getaddrinfo" in said else "nothing accepts connections there"
        return CheckError("service-unreachable", f"{where}: {why}", "Start the service, or correct the address in the inventory.")
    if isinstance(problem, requests.exceptions.ChunkedEncodingError):
        return CheckError("answer-truncated", f"{where}: the answer broke off in the middle", "Look for a crash or proxy limit.")
    kind = type(problem).__name__
    return CheckError("answer-unreadable", f"{where}: {kind}", "Check that the address speaks HTTP and is the service itself.")

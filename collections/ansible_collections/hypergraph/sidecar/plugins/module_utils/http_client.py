# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as a verifier needs it: nothing followed, nothing endless, nothing sent where it was not meant to go.

Redirects are answers, not instructions (a token never travels to another host); answers are read up to a size and a time; neither
``.netrc`` nor a cookie may speak in place of the token under test. Every way a connection can go wrong has a reason code and a remedy.
"""

from __future__ import annotations

import os
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import strict_json
from .connection import Connection, Token
from .faults import CheckError
from .http_faults import broken_answer, closed_without_answer, no_answer
from .redaction import excerpt
from .time_limit import interrupted_after

if TYPE_CHECKING:
    import requests

MAX_BODY = 4 * 1024 * 1024
_CHUNK = 64 * 1024
# Sockets keep the same timeout and tell more; the limit on the whole request is for what they miss, and comes after them.
_GRACE = 0.25


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

    @property
    def date(self) -> datetime | None:
        """The clock of whoever answered, to the second, by the Date header; None where it is missing or unreadable."""
        try:
            moment = parsedate_to_datetime(self.headers.get("date", ""))
        except (TypeError, ValueError, IndexError):
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)

    def json(self) -> Any:
        """The body as strict JSON. Raises CheckError saying what came instead: another media type, a redirect, truncated text."""
        try:
            return strict_json.loads(self.body)
        except ValueError as problem:
            what = f"{self.method} {self.url} answered {self.status}"
            if 300 <= self.status < 400:
                what += f" redirecting to {self.headers.get('location', 'nowhere')} (not followed)"
            begins = excerpt(self.text, 60)
            reason = f"{what} with {self.content_type or 'no content type'}, expected JSON: {problem}; it begins {begins!r}"
            raise CheckError(
                "answer-not-json", reason, "Check that base_url names the gateway itself, not a proxy or login page."
            ) from None

    def rows(self) -> list[Mapping[str, Any]] | None:
        """The rows of a list, which is ``{"data": [...]}`` as OpenAI lists are; None where it is not one, or not answered 200.

        Raises CheckError where a 200 is not JSON.
        """
        document = self.json() if self.status == 200 else None
        data = document.get("data") if isinstance(document, dict) else None
        return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else None


class Client:
    """Speaks to one environment over kept-alive connections. Not for use by several threads at once."""

    def __init__(self, connection: Connection) -> None:
        import requests

        self._connection = connection
        # An adapter and no session: sessions add cookies and .netrc, and read a redirect to its end, however long that is.
        self._adapter = requests.adapters.HTTPAdapter()
        self._spoken = False
        self._verify = _trust(connection)
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
        ``max_body`` bytes (once decompressed) or slower than the connection's timeout in seconds.
        """
        url = self._address(path_or_url)
        where = f"{method} {url}"
        sent = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "hypergraph.sidecar", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token.value if isinstance(token, Token) else token}"
        timeout = self._connection.timeout
        started = time.monotonic()
        with interrupted_after(timeout + _GRACE, lambda: _too_slow(where, timeout)):
            response = self._answered(method, url, where, json, sent)
            with response:
                body = _body(response, method, where, max_body, timeout)
        kept = {name.lower(): value for name, value in response.headers.items()}
        return Answer(method, url, response.status_code, kept, body, time.monotonic() - started)

    def get(self, path_or_url: str, token: Token | str | None = None, **options: Any) -> Answer:
        """``request`` with GET."""
        return self.request("GET", path_or_url, token, **options)

    def post(self, path_or_url: str, token: Token | str | None = None, **options: Any) -> Answer:
        """``request`` with POST."""
        return self.request("POST", path_or_url, token, **options)

    def _address(self, path_or_url: str) -> str:
        if path_or_url.startswith(("http://", "https://")):
            return path_or_url
        if not path_or_url.startswith("/"):
            # Without the slash it would lengthen the host name, and the token would travel to another host.
            raise CheckError("bad-url", f"path {path_or_url!r} does not begin with a slash", "Begin the path with /.")
        return self._connection.base_url + path_or_url

    def _answered(self, method: str, url: str, where: str, json: Any, headers: Mapping[str, str]) -> requests.Response:
        """The answer, of which only the headers are read."""
        import requests
        import urllib3

        while True:
            may_be_stale, self._spoken = self._spoken and method in ("GET", "HEAD"), True
            try:
                return self._adapter.send(
                    requests.Request(method, url, headers=dict(headers), json=json).prepare(),
                    stream=True,
                    timeout=self._connection.timeout,
                    verify=self._verify,
                    proxies=requests.utils.get_environ_proxies(url),
                )
            except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as problem:
                if not (may_be_stale and closed_without_answer(problem)):
                    raise no_answer(where, problem, self._connection.timeout) from None
                # A kept-alive connection may be closed while the next request is on its way; asking anew is due, once (RFC 9112, 9.3.1).
                self._spoken = False


def _body(response: requests.Response, method: str, where: str, max_body: int, timeout: float) -> bytes:
    """The body, decompressed: its size is what comes out, since a few kilobytes can be made to unfold into gigabytes."""
    import urllib3

    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        reason = f"{where}: the answer is encoded as {encoding[:40]!r}, which was not asked for"
        raise CheckError("answer-unreadable", reason, "Let the service answer plain where Accept-Encoding is identity.")
    unfold = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding not in ("", "identity") else None
    parts: list[bytes] = []
    received = size = 0
    started = time.monotonic()
    try:
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            received += len(chunk)
            part = unfold.decompress(chunk, max_body - size + 1) if unfold else chunk
            size += len(part)
            if size > max_body:
                reason = f"{where}: the answer has more than {max_body} bytes"
                raise CheckError("answer-too-large", reason, "Check that the address is the service itself.")
            if time.monotonic() - started > timeout:
                raise _too_slow(where, timeout)
            parts.append(part)
    except zlib.error:
        reason = f"{where}: the answer is not compressed the way it says ({encoding})"
        raise CheckError("answer-unreadable", reason, "Check the compression of the service or of a proxy before it.") from None
    except urllib3.exceptions.HTTPError as problem:
        raise broken_answer(where, problem, timeout) from None
    announced = response.headers.get("content-length", "")
    # urllib3 before 2.0 takes a connection that closes early for the end of the answer.
    if method != "HEAD" and ((announced.isdigit() and received < int(announced)) or (unfold and received and not unfold.eof)):
        raise broken_answer(where, EOFError(), timeout)
    return b"".join(parts)


def _too_slow(where: str, timeout: float) -> CheckError:
    reason = f"{where}: the answer was not complete after {timeout:g} s"
    return CheckError("answer-timeout", reason, "Find out why the answer does not end, or raise timeout.")


def _trust(connection: Connection) -> bool | str:
    """What certificates are checked against, as requests takes it. Raises CheckError where a file of CAs is none."""
    if not connection.validate_certs:
        return False
    for argument, path in (("ca_path", connection.ca_path), ("REQUESTS_CA_BUNDLE", os.environ.get("REQUESTS_CA_BUNDLE"))):
        if path:
            try:
                cafile, capath = (None, path) if Path(path).is_dir() else (path, None)
                ssl.create_default_context(cafile=cafile, capath=capath)
            except OSError as problem:
                why = "does not exist" if isinstance(problem, FileNotFoundError) else "is no readable bundle of certificates"
                raise CheckError(
                    "ca-unusable", f"{argument} {path} {why}", f"Point {argument} at the CA bundle of the environment."
                ) from None
            return path
    return True

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether anything answers where a load is to go, before it goes there."""

from __future__ import annotations

import ssl

from ..faults import CheckError
from .channel import Channel
from .http1 import Head
from .target import Target


async def reach(target: Target, connect_timeout: float) -> None:
    """Open one connection, so that a wrong address is said once, and not once a request. Raises CheckError."""
    where = f"base_url: {target.host} port {target.port}"
    try:
        channel = await target.connect(lambda: Channel(_Knock(), {}, 0), 0, connect_timeout)
    except ssl.SSLCertVerificationError as problem:
        reason = f"{where}: certificate verify failed: {problem.verify_message}"
        raise CheckError("tls-untrusted", reason, "Point ca_path at the CA that signed the gateway's certificate.") from None
    except ssl.SSLError:
        raise CheckError("tls-failed", f"{where}: the TLS handshake failed", "Use http:// in the address, or the TLS port.") from None
    except OSError as problem:
        why = "nothing accepts connections there" if isinstance(problem, ConnectionRefusedError) else "no connection could be made"
        raise CheckError("service-unreachable", f"{where}: {why}", "Start the service, or correct the address in the inventory.") from None
    channel.close()


class _Knock:
    """Owner of the first connection, which nothing is sent on."""

    def opened(self, channel: Channel) -> None: ...

    def answered(self, channel: Channel, head: Head, body: bytes, received: int) -> None: ...

    def failed(self, channel: Channel, error: str, received: int) -> None: ...

    def lost(self, channel: Channel) -> None: ...

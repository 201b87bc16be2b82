# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back a webhook that a probe registered, whatever came in between: a service that keeps them refuses the next ones some day."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from .faults import CheckError
from .http_client import Answer
from .verdict import Verdict

WEBHOOKS = "/v1/webhooks"


def webhook_id(answer: Answer) -> str:
    """The id in the answer to a registration, as text; empty where there is none. Raises CheckError where a 2xx is not JSON."""
    document = answer.json() if 200 <= answer.status < 300 else None
    return str(document.get("id") or "") if isinstance(document, dict) else ""


def webhook_path(identity: str) -> str:
    """The path of one webhook."""
    return f"{WEBHOOKS}/{quote(identity, safe='')}"


def is_gone(deletion: Answer) -> bool:
    """Whether the answer to a deletion leaves no webhook."""
    return 200 <= deletion.status < 300 or deletion.status in (404, 410)


def remove_webhook(ask: Callable[[str, str], Answer], identity: str, url: str, verdict: Verdict, tenant: str) -> None:
    """Delete a webhook, found by its URL where its id never came back; one that stays becomes an error of the verdict.

    ``ask`` sends a request of a method to a path. There are two tries, since the check's deadline may interrupt one.
    """
    problem = "it was interrupted"
    try:
        problem = _problem_deleting(ask, identity, url)
    finally:
        if problem:
            try:
                problem = _problem_deleting(ask, identity, url)
            finally:
                if problem:
                    verdict.error(
                        "webhook-left-behind",
                        f"the probe's webhook {identity or url} of tenant {tenant} could not be deleted: {problem}",
                        "Delete it by hand: DELETE /v1/webhooks/{id} with a token of that tenant.",
                    )


def _problem_deleting(ask: Callable[[str, str], Answer], identity: str, url: str) -> str:
    """What stood in the way, or nothing."""
    try:
        listed = [] if identity else ask("GET", WEBHOOKS).rows() or []
        for known in [identity] if identity else [str(row.get("id")) for row in listed if row.get("url") == url]:
            answer = ask("DELETE", webhook_path(known))
            if not is_gone(answer):
                return f"DELETE answered {answer.status}"
    except CheckError as fault:
        return fault.reason
    return ""

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of one check as a module: arguments in, a verdict out, whatever happens in between.

A module never fails a play. What goes wrong inside a check becomes an ``error`` of its verdict, and the gate decides at the end.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from .connection import Connection, connect, secrets_in
from .faults import CheckError, CheckInconclusive
from .redaction import MIN_SECRET
from .time_limit import interrupted_after
from .verdict import Verdict

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .http_client import Client


@dataclass
class Examination:
    """What a check works with: its verdict to record into, the connection, its own arguments, and whether it may send work.

    ``findings`` are as those of ``Inspection``, in a check that reads files beside asking the service; None in any other.
    """

    verdict: Verdict
    connection: Connection
    params: Mapping[str, Any]
    check_mode: bool = False
    findings: list[dict[str, Any]] | None = None

    @cached_property
    def client(self) -> Client:
        """The HTTP client of this run, made when first asked for."""
        from .http_client import Client

        return Client(self.connection)

    def may_submit(self) -> bool:
        """Whether the check may send requests that leave something behind; in check mode it may not, and skips instead."""
        if self.check_mode:
            self.verdict.skip(
                "disabled_by_config",
                "check mode: what needs chats and traces of the probe's own was not examined",
                "Run without --check.",
            )
        return not self.check_mode

    def has_tokens(self, *scopes: str, tenants: int = 1) -> bool:
        """Whether there is a token with the scopes for each of so many tenants; where not, the verdict says what to add."""
        if self.connection.auth_mode == "none":
            self.verdict.skip(
                "disabled_by_config",
                "the environment declares auth_mode none, so there is no authority to examine",
                "Set sidecar_auth_mode to static where tokens are enforced.",
            )
            return False
        able = {token.tenant_id for token in self.connection.tokens if token.has(*scopes)}
        if len(able) >= tenants:
            return True
        wanted = f"tokens with {' and '.join(scopes)} for {tenants} tenant(s), have {len(able)}"
        empty = f"; empty: {', '.join(self.connection.absent_tokens)}" if self.connection.absent_tokens else ""
        self.verdict.skip(
            "dependency_missing",
            f"the check needs {wanted}{empty}",
            "Give sidecar_tokens their values, from vault or from the environment variables the inventory names.",
        )
        return False


@dataclass
class Inspection:
    """What a check of artifacts works with: its verdict to record into and its own arguments. It talks to no service.

    ``findings`` is what it has to say about single places of files; the module returns them beside the verdict. ``changed`` is set where
    something was put right.
    """

    verdict: Verdict
    params: Mapping[str, Any]
    findings: list[dict[str, Any]] = field(default_factory=list)
    changed: bool = False


def inspect(module: AnsibleModule, check: str, examine: Callable[[Inspection], None]) -> NoReturn:
    """Inspect artifacts within ``deadline`` seconds and exit the module with the verdict and the findings."""
    verdict = Verdict(check)
    inspection = Inspection(verdict, module.params)
    with _guarded(verdict):
        verdict.redactor.learn(secrets_in(module.params))
        deadline = module.params["deadline"]
        with interrupted_after(deadline, lambda: _DeadlineExceeded(f"{deadline:g} s")):
            examine(inspection)
    _exit(module, verdict, inspection.findings, changed=inspection.changed)


def run(module: AnsibleModule, check: str, examine: Callable[[Examination], None], secrets: Iterable[str] = ()) -> NoReturn:
    """Examine within the deadline and exit the module with the verdict. ``secrets`` are redacted beside the tokens."""
    verdict = Verdict(check)
    findings = None
    with _guarded(verdict):
        known = secrets_in(module.params)
        verdict.redactor.learn([*known, *secrets])
        # Ansible shows a module's arguments beside its answer, and has no_log for tokens but not for what may be inside a URL.
        module.no_log_values.update(secret for secret in known if len(secret) >= MIN_SECRET)
        connection = connect(module.params)
        with interrupted_after(connection.deadline, lambda: _DeadlineExceeded(f"{connection.deadline:g} s")):
            examination = Examination(verdict, connection, module.params, module.check_mode)
            examine(examination)
            findings = examination.findings
    _exit(module, verdict, findings)


def _exit(module: AnsibleModule, verdict: Verdict, findings: list[dict[str, Any]] | None, *, changed: bool = False) -> NoReturn:
    document = verdict.to_dict()
    told = {} if findings is None else {"findings": [verdict.redactor.value(finding) for finding in findings]}
    module.exit_json(changed=changed, verdict=document, msg=f"{document['status']}: {document['reason']}", **told)


class _DeadlineExceeded(BaseException):
    """No Exception, so that a check that handles faults of single requests does not take it for one of them and go on."""


@contextmanager
def _guarded(verdict: Verdict) -> Iterator[None]:
    """Turn what a check raises into records of its verdict."""
    try:
        yield
    except CheckError as fault:
        verdict.error(fault.reason_code, fault.reason, fault.action)
    except CheckInconclusive as fault:
        verdict.inconclusive(fault.reason_code, fault.reason, fault.action)
    except ModuleNotFoundError as missing:
        _missing_library(verdict, str(missing.name or missing))
    except _DeadlineExceeded as deadline:
        reason = f"the check did not finish within its deadline of {deadline}"
        verdict.error("deadline-exceeded", reason, "Find out which request hangs, or raise deadline.")
    except Exception as crash:
        verdict.error("check-crashed", f"{type(crash).__name__}: {crash}", "Report this with the evidence: it is a defect of the check.")
        # Redacted before it is split: a secret with a line break in it is not recognised by its halves.
        verdict.record(traceback=verdict.redactor.text(traceback.format_exc()).splitlines()[-12:])


def _missing_library(verdict: Verdict, name: str) -> None:
    """A precondition that is absent; but what was to come after a first assertion is lost, and not named by anything that was recorded."""
    reason = f"Python library {name} is not installed where the check runs"
    action = "Install the collection's requirements.txt there, or run the check from the controller."
    if verdict.records.assertions:
        verdict.inconclusive("dependency-missing", f"{reason}, which ended the check before its time", action)
    else:
        verdict.skip("dependency_missing", reason, action)

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gathers the verdicts of a run from all hosts, decides the gate, and writes the report, all where ansible-playbook runs."""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible import constants, context
from ansible.cli.playbook import PlaybookCLI
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_core
from ansible.utils.path import unfrackpath

from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CATALOG
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import MIN_TOKEN_LENGTH
from ansible_collections.hypergraph.sidecar.plugins.module_utils.gate import PREFLIGHT
from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import (
    build,
    command,
    history,
    html,
    junit,
    markdown,
    prometheus,
    sarif,
    store,
    view,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.collect import PREFIX, collect, findings
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.headline import DEPLOY, SERVE, terminal_lines
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scope import Scope
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scrub import scrubbed
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.snapshot import snapshot
from ansible_collections.hypergraph.sidecar.plugins.module_utils.waiver import WaiverProblem, Waivers, judge, load

COLLECTION = Path(__file__).resolve().parents[2]
TEMPLATES = COLLECTION / "roles" / "report" / "templates"

ARGUMENTS = {
    "environment": {"type": "str", "required": True},
    "results_dir": {"type": "str", "default": "results"},
    "required": {"type": "list", "elements": "str"},
    "question": {"type": "str", "choices": [SERVE, DEPLOY], "default": SERVE},
    "on_inconclusive": {"type": "str", "choices": ["block", "allow"], "default": "block"},
    "waivers_file": {"type": "str"},
    "selected_only": {"type": "bool", "default": False},
    "keep_runs": {"type": "int", "default": 50},
    "check_of_variable": {"type": "dict", "default": {}},
    "docs_url": {"type": "str", "default": ""},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
}


class ActionModule(ActionBase):
    """One report of one run."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The gate's decision and where the report is; the files are written but in check mode."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _validated, arguments = self.validate_argument_spec(ARGUMENTS)
        base = Path.cwd()
        try:
            environment = Path(unfrackpath(arguments["results_dir"])) / store.check_environment(arguments["environment"])
        except ValueError as problem:
            raise AnsibleActionFail(str(problem)) from None
        redactor = Redactor(secret for secret in arguments["secrets"] or () if len(secret) >= MIN_TOKEN_LENGTH)
        scope = self._scope(task_vars)
        registered = _registered(task_vars)
        heard = collect(registered, arguments["check_of_variable"] or {}, redactor)
        routine = tuple(check.id for check in CATALOG if check.routine)
        required = routine if arguments["required"] is None else tuple(dict.fromkeys(arguments["required"]))
        known_checks = {*required, *(check.id for check in CATALOG), *(item.check for item in heard)}
        run = _circumstances(arguments, scope, required, known_checks, base)
        document = build.build(run, heard, history.previous_runs(store.runs(environment), build.SCHEMA, run.question))
        document["snapshot"] = snapshot(
            ansible_core=ansible_core,
            collection=COLLECTION,
            checkout=base,
            inventory=(command.relative(source, base) for source in context.CLIARGS.get("inventory") or ()),
            groups=scope.groups,
        )
        document["rerun"] = _rerun(document, base)
        document = scrubbed(document, redactor)
        log = sarif.render(document, findings(registered, redactor), base)
        where = "check mode: no report was written"
        result.update(changed=False, open=document["gate"]["open"], counts=document["counts"], run_id=document["run_id"], path="")
        if not self._task.check_mode:
            try:
                files = {**_rendered(document, arguments["docs_url"]), **({"findings.sarif": log} if log else {})}
                written = store.write(environment, document["run_id"], files)
                store.prune(environment, written, arguments["keep_runs"])
            except OSError as problem:
                result.update(failed=True, open=False, _ansible_verbose_always=True)
                where = (
                    f"the report could not be written: {problem.strerror}: {problem.filename}; point results_dir at a writable directory"
                )
            else:
                result["path"] = str(written)
                where = f"report: {command.relative(written / 'report.html', base)}"
        result["headline"] = terminal_lines(document, where)
        result["msg"] = result["headline"] if result.get("failed") else "; ".join(document["gate"]["headline"][:2])
        return result

    def _scope(self, task_vars: Mapping[str, Any]) -> Scope:
        """What the command line selects, and the hosts of each group that it leaves."""
        inventory = InventoryManager(self._loader, parse=False)
        for group, hosts in task_vars.get("groups", {}).items():
            inventory.add_group(group)
            for host in hosts:
                inventory.add_host(host, group=group)
        limit = context.CLIARGS.get("subset") or ""
        inventory.subset(limit or None)
        within = {host.name for host in inventory.get_hosts("all")}
        return Scope(
            tags=tuple(context.CLIARGS.get("tags") or ()),
            skip_tags=tuple(context.CLIARGS.get("skip_tags") or ()),
            limit=limit,
            start_at_task=context.CLIARGS.get("start_at_task") or "",
            check_mode=bool(self._task.check_mode),
            groups={
                group: tuple(host for host in hosts if host in within)
                for group, hosts in task_vars.get("groups", {}).items()
                if group not in ("all", "ungrouped")
            },
        )


def _registered(task_vars: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The verdict variables of every host, also of those the inventory does not name, such as localhost."""
    hostvars = task_vars["hostvars"]
    hosts = {*hostvars, *constants.LOCALHOST, task_vars["inventory_hostname"]}
    return {
        str(host): {name: _value(hostvars[host], name) for name in hostvars[host] if name.startswith(PREFIX)}
        for host in hosts
        if host in hostvars
    }


def _value(variables: Mapping[str, Any], name: str) -> Any:
    try:
        return variables[name]
    except AnsibleError as problem:
        return {"failed": True, "msg": f"{name} cannot be read: {problem.message}"}


def _circumstances(arguments: Mapping[str, Any], scope: Scope, required: tuple[str, ...], known_checks: set[str], base: Path) -> build.Run:
    now = datetime.now(timezone.utc)
    waivers, problem, shown = Waivers(), None, ""
    if arguments["waivers_file"]:
        path = Path(unfrackpath(arguments["waivers_file"]))
        shown = command.relative(path, base)
        try:
            waivers = judge(load(path), now=now, known_checks=known_checks)
        except WaiverProblem as unread:
            problem = {"reason_code": unread.reason_code, "problem": unread.problem, "action": unread.action}
    return build.Run(
        environment=arguments["environment"],
        run_id=store.new_run_id(now),
        now=now,
        scope=scope,
        required=required,
        question=arguments["question"],
        on_inconclusive=arguments["on_inconclusive"],
        selected_only=arguments["selected_only"],
        waivers=waivers,
        waivers_file=shown,
        waivers_problem=problem,
    )


def _rerun(document: Mapping[str, Any], base: Path) -> dict[str, str]:
    """The command of this run, and the one for its checks that are not green."""
    cli = PlaybookCLI(["ansible-playbook", "playbook"])
    cli.init_parser()
    parser: Any = cli.parser
    defaults = vars(parser.parse_args(["playbook"]))
    checks = [check for check in build.not_green(document) if check != PREFLIGHT]
    again = ["-e", "report_selected_only=true"]
    return {
        "all": command.command(context.CLIARGS, defaults, base),
        "not_green": command.command(context.CLIARGS, defaults, base, tags=checks, extra=again) if checks else "",
    }


def _rendered(document: Mapping[str, Any], docs_url: str) -> dict[str, str]:
    """Every file of the report by name."""
    return {
        "report.json": view.pretty(document) + "\n",
        "report.md": markdown.render(document, TEMPLATES),
        "report.html": html.render(document, TEMPLATES, docs_url),
        "junit.xml": junit.render(document),
        "report.prom": prometheus.render(document),
    }

#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Gather the verdicts of a run, decide the gate, and write the report
version_added: 0.1.0
description:
  - Reads every variable named C(sidecar_verdict_*) of every host, which are results that tasks registered, merges those of one check,
    lays waivers over them, and decides whether the environment is fit to serve.
  - Nothing is lost. A task that failed, a host that could not be reached and a result without a verdict are errors of their check; a
    skipped task is a skip. A host of a group that kept silent where others of its group answered makes the check inconclusive.
  - "Writes C(report.json), C(report.md), C(report.html), C(junit.xml) and C(report.prom) below RV(path), and points C(latest) beside it
    at them; where the file system has no links, the file C(latest.txt) names the run."
  - Where checks of artifacts examined something, writes what they found as C(findings.sarif) too, in SARIF 2.1.0, with files relative to
    where ansible-playbook was started.
  - The task succeeds also where the gate is closed, and returns that in RV(open). The role P(hypergraph.sidecar.report#role) ends a
    play with it.
options:
  environment:
    description:
      - Name of the environment, which becomes a directory below O(results_dir).
    type: str
    required: true
  results_dir:
    description: Where reports are kept. A relative path starts where ansible-playbook was started.
    type: str
    default: results
  required:
    description:
      - Ids of the checks without which the environment is not fit to serve. Each must be pass, or waived in whole. One that is skipped,
        inconclusive or has no result at all closes the gate.
      - Without it, those are required that C(playbooks/verify.yml) runs without being asked to.
    type: list
    elements: str
  question:
    description:
      - What the gate decides. V(serve) asks whether the environment is fit to serve, V(deploy) whether what is written may be deployed to
        it, which says nothing of how it serves.
    type: str
    choices: [serve, deploy]
    default: serve
  on_inconclusive:
    description: Whether an inconclusive check that is not required closes the gate.
    type: str
    choices: [block, allow]
    default: block
  waivers_file:
    description:
      - YAML file with a list of failures the environment accepts for a while. Each has C(check), C(assertion) (a pattern of assertion
        names, with C(*), C(?) and C([...])), C(owner), C(ticket), C(reason) and C(expires), and may have an C(id) to be called by in
        place of its ticket.
      - C(expires) is a time with a zone or a date, which stands for its first instant in UTC, at most 30 days ahead.
      - A waiver that is incomplete, expired, too long, for an unknown check, or for one that cannot be waived is not applied, and
        the report says so. An unused one is named too.
    type: str
  selected_only:
    description:
      - Judge only the checks that C(--tags) and C(--skip-tags) select. The report is marked partial in its first line, as is every
        report of a run that was restricted.
    type: bool
    default: false
  keep_runs:
    description: How many reports of the environment stay, this one among them.
    type: int
    default: 50
  check_of_variable:
    description:
      - The check that a variable belongs to, by its name without C(sidecar_verdict_), for results that do not say so themselves because
        their task failed or was skipped.
      - Without an entry, the check is taken from another host's result of the same name, else the name itself is taken for it.
    type: dict
    default: {}
  docs_url:
    description: Address that runbook references are relative to, for links in the HTML page.
    type: str
    default: ""
  secrets:
    description:
      - Values to remove from the report wherever they occur, in clear or encoded, should a verdict have let one through.
      - Those shorter than 8 characters are ignored, since they would mask parts of ordinary words.
    type: list
    elements: str
    default: []
attributes:
  action:
    description: Runs where ansible-playbook runs and connects to no host.
    support: full
  check_mode:
    description: Decides the same in check mode, but writes nothing.
    support: full
  diff_mode:
    description: Writes a new report each time, so there is no difference to show.
    support: none
seealso:
  - module: hypergraph.sidecar.verdict
author:
  - hypergraph.sidecar contributors (@hypergraph)
"""

EXAMPLES = r"""
- name: Report on staging
  hypergraph.sidecar.report:
    environment: staging
    results_dir: /var/lib/sidecar/results
    required: [gateway_rbac, tenant_isolation, audit_pii]
    waivers_file: "{{ inventory_dir }}/waivers.yml"
    secrets: "{{ sidecar_tokens | map(attribute='token') | list }}"
  register: report
  run_once: true

- name: The gate is open
  ansible.builtin.assert:
    that: report.open
    fail_msg: "{{ report.msg }}"
  run_once: true
"""

RETURN = r"""
open:
  description: Whether the environment is fit to serve.
  returned: always
  type: bool
headline:
  description: Gate, why, and how much was examined; a line for each check; waivers not in order; where the report is.
  returned: always
  type: list
  elements: str
  sample:
    - "GATE OPEN: staging is fit to serve"
    - "6 of 6 required checks hold"
    - "7 pass; examined 11 routes, 6 callers, 66 cells"
counts:
  description: Number of checks by status; C(not_run) counts required ones.
  returned: always
  type: dict
  sample: {fail: 0, error: 0, not_run: 0, inconclusive: 0, skip: 0, waived: 0, pass: 7}
run_id:
  description: Id of the run, which is the name of its directory.
  returned: always
  type: str
  sample: 20261121T061702Z-f1cda8
path:
  description: Directory of the report; empty in check mode.
  returned: always
  type: str
msg:
  description: The gate and the first reason for it, in one line.
  returned: always
  type: str
"""

#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verdict
short_description: Write a check in YAML
version_added: 0.1.0
description:
  - Evaluates conditions, as M(ansible.builtin.assert) does, and returns a verdict like every check of this collection. Registered as
    C(sidecar_verdict_) and a name, it takes part in the report and in the gate.
  - A condition that does not hold fails the verdict, never the play. One that cannot be evaluated makes it an V(error).
  - A verdict without any assertion, or with V(0) of something examined, is V(inconclusive). Nothing looked at is not a pass.
  - Gather what the conditions look at with any module, in tasks with C(ignore_errors) and C(ignore_unreachable) or
    C(failed_when=false). A host that fails leaves its play, and when all of them have, Ansible ends the run without a report.
options:
  check:
    description:
      - Id of the check, of lower-case letters, digits and underscores. Verdicts of one id merge into one result, from all tasks and hosts.
      - Give the tasks of the check its id as a tag, by which reports tell how to run it alone.
    type: str
    required: true
  title:
    description: What the check is about, in one line. The checks of this collection have theirs.
    type: str
  references:
    description: Where to read on, such as a runbook's address.
    type: list
    elements: str
  assertions:
    description:
      - What must hold.
      - Before ansible-core 2.19, a template that cannot be filled in here fails the task, and the report names the check by the
        variable's name.
    type: list
    elements: dict
    suboptions: &assertion
      name:
        description: What is expected, as a stable name. Waivers match it.
        type: str
        required: true
      that:
        description: A condition or a list of them, without braces. All must hold.
        type: raw
        required: true
      expected:
        description: What should be, for the reader. The condition itself if absent.
        type: raw
      observed:
        description: What was seen, for the reader. The conditions that are false if absent.
        type: raw
      reason_code:
        description: A stable code for the failure, of lower-case words joined by hyphens.
        type: str
        default: assertion-does-not-hold
      reason:
        description: One line on the failure, in place of expected and observed.
        type: str
      action:
        description: What to do about the failure.
        type: str
  controls:
    description:
      - Positive controls, which prove that the check could have seen a defect. One that does not hold makes the verdict V(inconclusive).
    type: list
    elements: dict
    suboptions: *assertion
  examined:
    description: How many objects of each unit were looked at, the unit in the plural. V(0) makes the verdict V(inconclusive).
    type: dict
  evidence:
    description: What a reader may want to see. It is redacted, and cut where it is long.
    type: dict
  metrics:
    description: Numbers for trends, whose names end in their unit.
    type: dict
  needs:
    description: Samples without which the check cannot say. Too few make the verdict V(inconclusive).
    type: list
    elements: dict
    suboptions:
      what:
        description: What the samples are.
        type: str
        required: true
      samples:
        description: How many are needed.
        type: int
        required: true
      have:
        description: How many there are.
        type: int
        required: true
      action:
        description: How to get more.
        type: str
  skip:
    description: The precondition that is absent, where one is. Leave it out with the C(omit) variable where the check can run.
    type: dict
    suboptions:
      class:
        description: V(not_applicable), V(dependency_missing), V(disabled_by_config), or V(blocked_by:) with the id of a check.
        type: str
        required: true
      reason:
        description: What is absent.
        type: str
        required: true
      action:
        description: How to provide it.
        type: str
        required: true
  secrets:
    description: Values to remove wherever they occur, in clear or encoded.
    type: list
    elements: str
attributes:
  action:
    description: Runs where ansible-playbook runs and connects to no host.
    support: full
  check_mode:
    description: Evaluates the same in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: hypergraph.sidecar.report
  - module: ansible.builtin.assert
author:
  - hypergraph.sidecar contributors (@hypergraph)
"""

EXAMPLES = r"""
- name: Every group that checks run on has a host
  hypergraph.sidecar.verdict:
    check: preflight
    examined:
      inventory groups: 1
    assertions:
      - name: "group {{ item }} has a host"
        that: groups[item] | default([]) | length > 0
        expected: at least one host
        observed: "{{ groups[item] | default([]) | length }} hosts"
        reason_code: group-empty
        action: "Name a host in group {{ item }} of the inventory given with -i."
  loop: [sidecar_probes, sidecar_gateways, sidecar_explainers]
  register: sidecar_verdict_preflight

- name: Ask the broker about its queue
  ansible.builtin.uri:
    url: https://broker.staging.example.org/api/queues/explain
  register: queue
  ignore_errors: true
  tags: [queue_depth]

- name: The queue in front of the explainers is short
  hypergraph.sidecar.verdict:
    check: queue_depth
    title: The queue in front of the explainers is short and somebody reads it
    references: [https://wiki.example.org/queues]
    examined:
      queues: "{{ 1 if queue is success else 0 }}"
    assertions:
      - name: fewer than 1000 jobs wait
        that: queue.json.messages < 1000
        expected: "< 1000"
        observed: "{{ queue.json.messages }}"
        reason_code: queue-too-long
        action: Add explainers, or find out which job blocks them.
      - name: somebody reads it
        that: queue.json.consumers > 0
        reason_code: queue-unread
        action: Start an explainer.
    metrics:
      queue_depth_jobs: "{{ queue.json.messages | default(0) }}"
  register: sidecar_verdict_queue
  tags: [queue_depth]
"""

RETURN = r"""
verdict:
  description: The verdict, schema C(verdict-1) in the collection's C(docs/schemas).
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: queue_depth
    status: fail
    reason: "fewer than 1000 jobs wait: expected < 1000, observed 4711"
    reason_code: queue-too-long
    examined: {queues: 1}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "fail: fewer than 1000 jobs wait: expected < 1000, observed 4711"
"""

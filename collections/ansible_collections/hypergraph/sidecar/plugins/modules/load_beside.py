#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_beside
short_description: Drive a load beside something else, and tell what it measured before, during and after
version_added: 0.1.0
author:
  - hypergraph.sidecar contributors (@hypergraph)
description:
  - With O(state=started) a load of the open model begins, and the play goes on. Asked for with O(state=watched) now and then it lasts
    until O(state=stopped), which splits its records into phases. When phases begin and end need not be known before.
  - The split run is a summary of schema C(load-summary-1) like that of M(hypergraph.sidecar.load). A request belongs to the phase in
    which it was to begin. The records are read once, in constant memory, on the load generator.
  - No load goes on after its play. Where nobody asks for it for O(watched_within) seconds, it ends.
  - The role C(hypergraph.sidecar.chaos_recovery) uses it to see what callers meet while a fault is in force.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
  - hypergraph.sidecar.load
  - hypergraph.sidecar.load.chats
  - hypergraph.sidecar.load.objectives
options:
  state:
    description:
      - V(started) begins, and returns when chats are sent. V(watched) says that the load is still wanted. V(stopped) ends it, and
        tells what it measured.
    type: str
    choices: [started, watched, stopped]
    required: true
  directory:
    description: Directory on the load generator for records and summaries; one without results of another run.
    type: path
    required: true
  rate:
    description: Chats per second, whatever the answers take.
    type: float
    default: 20.0
  concurrency:
    description: Chats on their way at once, at most.
    type: int
    default: 32
  attach_rate:
    description: Share of the chats that ask for an explanation by sentence, 0 to 1.
    type: float
    default: 0.05
  longest:
    description: Seconds after which the load ends whatever happens.
    type: float
    default: 7200.0
  clock_uncertainty_ms:
    description: By how much O(clock_offset_ms) may be wrong. The action plugin measures it.
    type: float
  watched_within:
    description: The load ends where it is not asked for within so many seconds.
    type: float
  job:
    description: RV(job) of O(state=started), for O(state=stopped).
    type: str
  trials:
    description:
      - With O(state=stopped), the trials of chaos experiments, as O(hypergraph.sidecar.recovery_check#module:trials) has them. From the
        moments in them the action plugin makes O(windows), a phase before, during and after each fault.
    type: list
    elements: dict
    default: []
  windows:
    description: With O(state=stopped), windows of time that do not overlap. Those with the same O(windows[].phase) are one phase.
    type: list
    elements: dict
    default: []
    suboptions:
      phase:
        description: The phase that the window is a part of.
        type: str
        required: true
      begins_at:
        description: When it begins, in seconds since the epoch by the clock of the host that started the play.
        type: float
        required: true
      ends_at:
        description: When it ends.
        type: float
        required: true
attributes:
  check_mode:
    description: Sends nothing, and is skipped.
    support: full
seealso:
  - module: hypergraph.sidecar.load
  - module: hypergraph.sidecar.recovery_check
"""

EXAMPLES = r"""
- name: Begin a load
  hypergraph.sidecar.load_beside:
    state: started
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    directory: /var/tmp/load/beside
    watched_within: 300
  register: beside

- name: End it, and tell what callers met in a minute of it
  hypergraph.sidecar.load_beside:
    state: stopped
    base_url: https://gateway.staging.example.org
    directory: /var/tmp/load/beside
    job: "{{ beside.job }}"
    windows:
      - {phase: failover, begins_at: 1795255200, ends_at: 1795255260}
"""

RETURN = r"""
job:
  description: What O(state=stopped) needs to end it.
  returned: with O(state=started)
  type: str
  sample: j187391528.4711
split_path:
  description: Where the summary by phases is, on the host the module ran on.
  returned: with O(state=stopped)
  type: str
  sample: /var/tmp/load/beside/phases.json
load:
  description: The figures of the whole run a reader asks for first.
  returned: with O(state=stopped)
  type: dict
  sample:
    requests: 12000
    errors: 0
    achieved_per_s: 20.0
    healthy: true
msg:
  description: The same in one line, or what went wrong.
  returned: always
  type: str
  sample: 12 phases of 11520 chats
reason_code:
  description: Stable name of what was wrong.
  returned: failure
  type: str
  sample: load-died
action:
  description: What to do about it.
  returned: failure
  type: str
  sample: Find out what killed it.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils import connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import beside


def main() -> None:
    beside.act(AnsibleModule(argument_spec={**connection.ARGUMENTS, **beside.ARGUMENTS}, supports_check_mode=True))


if __name__ == "__main__":
    main()

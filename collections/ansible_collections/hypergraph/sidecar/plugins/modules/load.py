#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load
short_description: Drive chats and explanations against a gateway and measure them
version_added: 0.1.0
description:
  - Sends chats in a closed loop (O(concurrency) callers, each waiting for its answer) or in an open one (O(rate) arrivals per second,
    latency counted from the moment each was due), asks a share of them to be explained, and follows each explanation to its end.
  - Writes a line for every request and every explanation as it ends, and a summary, into O(directory) on the host it runs on.
  - Judges nothing. M(hypergraph.sidecar.slo_check) reads the summary.
  - Runs faster where the Python libraries C(uvloop) and C(msgspec) are installed, and says in the summary where they are not.
  - Sends nothing through a proxy.
  - O(timeout) bounds each chat, from the moment it was due to its last byte. O(deadline) does not apply, the plan tells how long it takes.
  - Ctrl-C or SIGTERM ends the run; what was measured until then is kept, and the summary says that it was interrupted.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
  - hypergraph.sidecar.load
  - hypergraph.sidecar.load.chats
  - hypergraph.sidecar.load.objectives
options:
  directory:
    description: Where results go, on the host the module runs on. It must not hold those of another run.
    type: path
    required: true
  load_model:
    description:
      - With V(closed), each of O(concurrency) callers sends its next chat when it has the answer to the last, together no faster than
        O(rate).
      - With V(open), chats are due by O(rate) whether or not earlier ones are answered; at most O(concurrency) are on their way, and
        the others wait, with their latency counted from when they were due.
    type: str
    choices: [closed, open]
    default: closed
  concurrency:
    description: Requests on their way at once, 1 to 1000.
    type: int
    default: 64
  rate:
    description: Chats per second of this generator. Required with O(load_model=open); without it a closed loop has no limit.
    type: float
  arrivals:
    description: Whether arrivals of the open model are evenly spaced or those of a Poisson process.
    type: str
    choices: [constant, poisson]
    default: constant
  warmup:
    description: Seconds of warm-up, which is measured and never judged. Does not apply with O(phases).
    type: float
    default: 10.0
  ramp:
    description: Seconds in which rate or concurrency rise in a straight line before the steady phase. Does not apply with O(phases).
    type: float
    default: 0.0
  duration:
    description: Seconds of the steady phase. Does not apply with O(phases).
    type: float
    default: 60.0
  phases:
    description: Phases of the run in their order, in place of O(warmup), O(ramp) and O(duration).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What the phase is called.
        type: str
        required: true
      kind:
        description: A ramp goes from the rate and concurrency of the phase before to its own. A burst is measured like a steady phase.
        type: str
        choices: [warmup, steady, ramp, burst]
        default: steady
      duration:
        description: Seconds it lasts.
        type: float
        required: true
      rate:
        description: O(rate) in this phase.
        type: float
      concurrency:
        description: O(concurrency) in this phase.
        type: int
      attach_rate:
        description: O(attach_rate) in this phase.
        type: float
      granularity:
        description: O(granularity) in this phase.
        type: str
        choices: [sentence, token, mix]
  attach_rate:
    description: Share of the chats that ask for an explanation, 0 to 1.
    type: float
    default: 0.3
  granularity:
    description: What explanations are asked for; a mix is 80 % by sentence and 20 % by token.
    type: str
    choices: [sentence, token, mix]
    default: mix
  seed:
    description:
      - With the same seed, the same chats ask for the same explanations, and Poisson arrivals come at the same moments. Generators that
        drive together need one each.
    type: int
    default: 1
  stagger:
    description:
      - By how much of a step between two chats, 0 to 1, constant arrivals of the open model begin later, and each phase of a closed one
        with a rate. Generators that drive together take turns where each of n has another multiple of 1/n; with the same they would all
        send at the same moments.
    type: float
    default: 0.0
  prompts:
    description: What the chats say, in turn.
    type: list
    elements: str
    default:
      - Why is the sky blue? Light scatters. Short waves scatter most. So the sky looks blue.
  stream:
    description: Whether answers are asked for as streams of events; latency is that of the last byte.
    type: bool
    default: false
  callers:
    description:
      - Names of the O(tokens) to chat with, in turn. Without it, the first that carries C(traces:write) and C(traces:read).
    type: list
    elements: str
    default: []
  connect_timeout:
    description: Seconds opening a connection may take, at most O(timeout).
    type: float
    default: 5.0
  poll_interval:
    description:
      - Seconds between two polls of an explanation, rising to 5 % of its age. Its latency is known with this error, always to the
        long side.
    type: float
    default: 0.1
  poll_rate:
    description: Polls per second of this generator. Where they do not suffice, the summary says so.
    type: float
    default: 1000.0
  poll_connections:
    description: Connections that polls have for themselves.
    type: int
    default: 8
  stop_early:
    description:
      - End the run as soon as some class surely breaks its objective, or all surely keep theirs, by bounds that hold however often one
        looks, which is every ten seconds. M(hypergraph.sidecar.slo_check) judges such a run by the same bounds.
      - Takes a run of one generator with one phase beside warm-up.
    type: dict
    suboptions:
      quantile:
        description: The share of requests that has to keep the objective.
        type: float
        default: 0.95
      confidence:
        description: One minus the chance of a wrong pass, and of a wrong fail.
        type: float
        default: 0.95
      correlation_seconds:
        description: Requests within this time may all share one fate, also where too few exceed to see it.
        type: float
        default: 1.0
  start_at:
    description:
      - When the run begins, in seconds since the epoch by the clock of the host that starts the play, so that several generators
        begin together.
    type: float
  clock_uncertainty_ms:
    description:
      - By how much O(clock_offset_ms) may be wrong. The action plugin measures it. With O(start_at), a generator whose clock is not known
        to a second is unhealthy.
    type: float
  watched_within:
    description:
      - The run ends, interrupted, where nobody asks how far it is for so many seconds. The action plugin sets it, so that no load
        goes on after the play that started it has died.
    type: float
seealso:
  - module: hypergraph.sidecar.slo_check
"""

EXAMPLES = r"""
- name: A minute of 64 callers, three in ten chats explained
  hypergraph.sidecar.load:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    directory: /var/tmp/load/2026-11-21
  register: sidecar_load

- name: Two hundred chats per second, whatever the answers take
  hypergraph.sidecar.load:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    directory: /var/tmp/load/2026-11-21-open
    load_model: open
    rate: 200
    arrivals: poisson
    concurrency: 400
  register: sidecar_load

- name: A burst between two steady phases
  hypergraph.sidecar.load:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    directory: /var/tmp/load/2026-11-21-burst
    load_model: open
    phases:
      - {name: warm-up, kind: warmup, duration: 20, rate: 50}
      - {name: before, duration: 120, rate: 50}
      - {name: burst, kind: burst, duration: 30, rate: 300, granularity: token}
      - {name: after, duration: 120, rate: 50}
  register: sidecar_load
"""

RETURN = r"""
summary_path:
  description: Where the summary is, on the host the module ran on.
  returned: when requests were sent
  type: str
  sample: /var/tmp/load/2026-11-21/summary.json
load:
  description: The figures of the summary a reader asks for first.
  returned: when requests were sent
  type: dict
  sample:
    requests: 12000
    errors: 0
    achieved_per_s: 200.0
    healthy: true
    interrupted: null
msg:
  description: The same in one line, or why nothing was sent.
  returned: always
  type: str
  sample: 12000 requests in 60 s (200.0/s), 0 errors, 3600 of 3600 explanations complete
reason_code:
  description: Stable name of what was wrong.
  returned: when nothing was sent
  type: str
  sample: bad-load-plan
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils import connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import plan
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.engine import Run, run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.files import SUMMARY_FILE
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.report import in_short, sentence


def main() -> None:
    module = AnsibleModule(argument_spec={**connection.ARGUMENTS, **plan.ARGUMENTS}, supports_check_mode=True)
    module.no_log_values.update(connection.secrets_in(module.params))
    try:
        connection.refuse_short_tokens(module.params)
        environment = connection.connect(module.params)
        planned = plan.plan(module.params, environment)
        if module.check_mode:
            module.exit_json(
                changed=False, skipped=True, msg=f"check mode: {planned.duration_s:g} s of load on {environment.base_url} were not sent"
            )
        summary = run(planned, environment, Run.told(module.params))
    except CheckError as fault:
        module.fail_json(msg=f"{fault.reason}. {fault.action}", reason_code=fault.reason_code)
    short = in_short(summary)
    module.exit_json(changed=True, summary_path=str(Path(module.params["directory"]) / SUMMARY_FILE), load=short, msg=sentence(short))


if __name__ == "__main__":
    main()

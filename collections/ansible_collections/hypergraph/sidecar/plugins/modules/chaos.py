#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: chaos
short_description: Switch a fault of an explainer on or off, so that none is left behind
version_added: 0.1.0
author:
  - hypergraph.sidecar contributors (@hypergraph)
description:
  - Puts a fault into the explainer's chaos control file, or takes it out. Runs on the explainer's host.
  - Before a fault is in force, its end is arranged twice outside the run. The flag itself carries C(expires_at), and a detached process on
    the host, the dead-man, takes the fault back when O(ttl) or O(renew_within) is over, whatever became of the controller or the network.
  - What is done is noted before and after in a journal, in the directory C(<control_path>.run).
  - The file is replaced as a whole, and keeps its owner, its mode and what else is in it. A file that cannot be read is never written over.
  - A lease keeps chaos apart. While one holder has a fault in force, another can switch it off, but nothing on; with O(own) not even that.
  - A fault that is in force as asked is left as it is, and O(ttl) does not begin anew; its lease is renewed.
  - Switching on needs C(sidecar_chaos_allowed) in the environment's inventory. Where C(sidecar_production) is true, its value has to be
    C(production).
  - Fails, and leaves the file as it was, where the file is no JSON object, is read-only, belongs to another user, or the disk is full.
options:
  state:
    description:
      - V(present) puts O(fault) into force. V(absent) takes it back, and without O(fault) all there are.
    type: str
    choices: [present, absent]
    default: present
  fault:
    description: The fault. Needed with O(state=present).
    type: str
    choices: [slow-sae, drop-s3, fail-attribution, rate-limit-spike]
  percent:
    description:
      - Share of jobs that it strikes, 0 to 100. Of O(fault=slow-sae), O(fault=drop-s3) and O(fault=fail-attribution), which need it.
    type: float
  jitter_ms:
    description: Longest delay in milliseconds, of O(fault=slow-sae). Not given is 1000.
    type: float
  mode:
    description: What becomes of the explanation, of O(fault=fail-attribution). Not given is V(fail).
    type: str
    choices: [fallback, fail]
  severity:
    description: Which level of the backpressure ladder is pretended, of O(fault=rate-limit-spike). Not given is V(soft).
    type: str
    choices: [soft, hard]
  ttl:
    description: Seconds after which the fault ends, 1 to 3600.
    type: float
    default: 300
  renew_within:
    description:
      - The fault ends earlier where no task asks for it again within so many seconds. At most O(ttl).
      - Without it only O(ttl) counts, as suits a fault that a person switches on.
    type: float
  silent_for:
    description:
      - For how many seconds, at most, whoever runs this is going to do something else before it asks for the fault again or takes it back.
      - Where O(renew_within), or without it O(ttl), is not longer, the fault is not put into force (C(lease-too-short)).
    type: float
    default: 0
  observed:
    description: Whether the fault was seen from outside, which is noted in the journal.
    type: bool
    default: false
  control_path:
    description:
      - The control file, absolute; what C(CHAOS_CONTROL_PATH) says to the explainer. Not given is C(sidecar_chaos_control_path), where the
        inventory has it.
    type: path
    default: /tmp/hif/chaos.json
  environment:
    description: The environment, for the lease. Not given is C(sidecar_environment).
    type: str
  holder:
    description: Who holds the lease. Not given is the user on the controller.
    type: str
  own:
    description:
      - With O(state=absent), changes nothing where another than O(holder) holds the lease. RV(reverted_by) then tells who took back what
        O(holder) had in force.
    type: bool
    default: false
attributes:
  check_mode:
    description: Tells what would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows the control file before and after.
    support: full
seealso:
  - module: hypergraph.sidecar.chaos_reaper
  - module: hypergraph.sidecar.recovery_check
"""

EXAMPLES = r"""
- name: Half of the explanations take up to a second longer, for five minutes
  hypergraph.sidecar.chaos:
    fault: slow-sae
    percent: 50
    control_path: /tmp/hif/chaos.json

- name: Graphs cannot be stored, until a minute has passed without this task having run again
  hypergraph.sidecar.chaos:
    fault: drop-s3
    percent: 100
    ttl: 900
    renew_within: 60

- name: No fault at all
  hypergraph.sidecar.chaos:
    state: absent
"""

RETURN = r"""
lease_id:
  description: The lease, as the journal names it. Empty where none is held.
  returned: success
  type: str
  sample: 1d33ef0c46bc4174
expires_at:
  description: When the fault ends by itself. Empty with O(state=absent).
  returned: success
  type: str
  sample: "2026-11-21T11:15:40.521102Z"
dead_man_pid:
  description: The process on the host that takes the fault back when nobody else does. 0 where there is none.
  returned: success
  type: int
  sample: 6922
reverted:
  description: The faults that were taken back and read back as gone.
  returned: success
  type: list
  elements: str
  sample: [slow-sae]
reverted_by:
  description: Who took back what was gone already.
  returned: success
  type: str
  sample: dead-man
settled:
  description: Seconds between the control file's change and the end of the module.
  returned: success
  type: float
  sample: 0.05
settled_at:
  description: The moment of that change on the controller's monotonic clock, in seconds.
  returned: success
  type: float
  sample: 81244.12
reason_code:
  description: Why it failed, for programs.
  returned: failure
  type: str
  sample: control-file-read-only
action:
  description: What to do about it.
  returned: failure
  type: str
  sample: chmod u+w /tmp/hif/chaos.json.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.switch import run


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "fault": {"type": "str", "choices": ["slow-sae", "drop-s3", "fail-attribution", "rate-limit-spike"]},
            "percent": {"type": "float"},
            "jitter_ms": {"type": "float"},
            "mode": {"type": "str", "choices": ["fallback", "fail"]},
            "severity": {"type": "str", "choices": ["soft", "hard"]},
            "ttl": {"type": "float", "default": 300},
            "renew_within": {"type": "float"},
            "silent_for": {"type": "float", "default": 0},
            "observed": {"type": "bool", "default": False},
            "control_path": {"type": "path", "default": "/tmp/hif/chaos.json"},  # noqa: S108
            "environment": {"type": "str"},
            "holder": {"type": "str"},
            "own": {"type": "bool", "default": False},
        },
        required_if=[("state", "present", ["fault"])],
        supports_check_mode=True,
    )
    run(module)


if __name__ == "__main__":
    main()

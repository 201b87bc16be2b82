#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_check
short_description: Check that every action is audited and nothing secret or personal is logged
version_added: 0.1.0
description:
  - Runs on the host of a gateway, where its audit log lies. Sends one request of each kind through O(base_url) (chats that are answered,
    streamed, rejected and denied; a trace that is read, one that is canceled; lists; a webhook that is deleted again) and reads what
    the log makes of them.
  - Every prompt carries random personal data that belongs to nobody, namely an e-mail address, a telephone number, a payment card
    number, an IBAN and an API key. None of it, and no token, may be in the log in any encoding. Other personal data and credentials are
    looked for by their shape and check digits, in older lines too.
  - The check's own entries being there is the proof that this is the log of that gateway. Where none is, the verdict is inconclusive
    (C(control-not-seen)), as it is where no chat was answered (C(chat-refused)), none was rejected (C(error-path-not-seen)) or nothing
    denied (C(denial-not-seen)).
  - Would fail on C(authorization-logged), C(key-unscrubbed), C(email-unscrubbed), C(card-unscrubbed), C(iban-unscrubbed),
    C(phone-unscrubbed), C(canary-leaked), C(audit-not-json), C(audit-field-missing), C(audit-ts-not-monotone), C(audit-world-readable),
    C(audit-entry-missing), C(audit-entry-duplicate), C(audit-tenant-mismatch), C(audit-subject-mismatch), C(audit-outcome-wrong),
    C(snippet-missing) and C(audit-ts-wrong). A log that cannot be read is an error, C(audit-log-missing), C(audit-log-forbidden) or
    C(audit-log-unreadable).
  - What is found is never shown. The verdict names file, line, byte, field and a fingerprint that tells two finds of one run apart and is
    worthless after it.
  - In check mode nothing is sent, and the log is only read.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
options:
  path:
    description:
      - The audit log, JSON Lines. A name ending in C(.gz) is read as gzip data.
      - It may be rotated during the check, by renaming or by copying and truncating.
    type: path
    default: /var/log/hypergraph/audit.log
  log_paths:
    description:
      - Other logs of the services on this host, globs allowed. No text of the check's prompts and no token may be in them; otherwise they
        are not judged.
      - With any, the check waits for its trace to end, at most O(trace_deadline), so that all services have had something to log.
    type: list
    elements: str
    default: []
  action_names:
    description:
      - How the log names the actions, where it does not as the contract does. Keys are C(chat.create), C(models.list), C(trace.list),
        C(trace.status), C(trace.graph), C(trace.cancel), C(webhook.create), C(webhook.list) and C(webhook.delete).
      - An action with an empty name is not audited by policy, and not driven. Chats must be audited. The check's webhook is deleted
        in any case, and is named (C(webhook-left-behind)) where it cannot be.
    type: dict
    default: {}
  allowed_outcomes:
    description: Glob patterns of outcomes that mean a request was let through.
    type: list
    elements: str
    default: [allowed]
  denied_outcomes:
    description: Glob patterns of outcomes that mean a request was refused for want of authority.
    type: list
    elements: str
    default: ["denied*"]
  allow:
    description:
      - What is no leak though it looks like one. An item exempts finds to which all of its parts apply; it needs O(allow[].field) or
        O(allow[].pattern). What the check itself sent is never exempt.
      - A subject that is one of O(tokens) needs no item.
    type: list
    elements: dict
    default: []
    suboptions:
      rule:
        description: The kind of find. Without it any.
        type: str
        choices: [authorization, key, email, iban, card, phone]
      field:
        description: The top-level field of the entry that it is in, such as V(subject).
        type: str
      pattern:
        description: A Python regular expression that matches the whole find, such as V(.*@example\\.org).
        type: str
  max_bytes:
    description:
      - How many bytes of older lines to search, from the newest on, in the audit log and what O(rotated_files) adds to it, and in each of
        O(log_paths). About 20 MB are read in a second. What was written during the check is always read.
      - Of gzip data it is the unfolded text that counts, and its end is found first; where that takes too long, the verdict is
        inconclusive (C(scan-unfinished)).
      - What is left out is named in the verdict, which passes nonetheless.
      - With V(0) only what was written during the check is read.
    type: int
    default: 268435456
  rotated_files:
    description: How many rotated siblings of the audit log to search too, newest first. They may be gzip data.
    type: int
    default: 1
  settle:
    description: Seconds to wait for the entries of the last action.
    type: float
    default: 5.0
  clock_skew:
    description: Seconds by which times in the log may be off or out of order.
    type: float
    default: 5.0
  trace_deadline:
    description: Seconds to wait for the check's trace to end, where O(log_paths) are given. One that does not end is no failure here.
    type: float
    default: 10.0
  model:
    description: Model name to send with chats.
    type: str
    default: gpt-4o-mini
notes:
  - Without tokens that carry C(traces:write) and C(traces:read) the check is skipped. With O(auth_mode=none) tenants, subjects and denials
    are not compared, and the verdict says so.
  - A token without C(traces:write), if there is one, is used to be denied with.
  - Entries are told by the request id that the gateway answers in C(x-request-id) and logs as C(request_id), where it does; else by
    trace id, else by the canary word in the snippet, else by action, tenant, subject and outcome.
seealso:
  - module: hypergraph.sidecar.rbac_probe
"""

EXAMPLES = r"""
- name: Every action is audited, and nothing secret or personal is in the log
  hypergraph.sidecar.audit_check:
    base_url: http://127.0.0.1:8080
    tokens: "{{ sidecar_tokens }}"
    log_paths: [/var/log/hypergraph/*.log]
  register: sidecar_verdict_audit

- name: The same for a gateway with names of its own, whose subjects are e-mail addresses
  hypergraph.sidecar.audit_check:
    base_url: http://127.0.0.1:8080
    tokens: "{{ sidecar_tokens }}"
    path: /srv/gateway/audit.jsonl
    action_names:
      chat.create: completion
      models.list: ""
    allowed_outcomes: [ok]
    denied_outcomes: [unauthenticated, forbidden]
    allow:
      - rule: email
        field: subject
  register: sidecar_verdict_audit
"""

RETURN = r"""
verdict:
  description: The verdict on C(audit_pii), schema C(verdict-1).
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: audit_pii
    status: fail
    reason: "no e-mail address that the check sent is in the audit log, in any encoding: expected none, observed
      ['/var/log/hypergraph/audit.log line 812, byte 301544: of a malformed chat']"
    reason_code: email-unscrubbed
    examined: {audit lines: 815, driven actions: 21}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 23 assertions hold, 4 controls held; examined 815 audit lines, 21 driven actions"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import run


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "path": {"type": "path", "default": "/var/log/hypergraph/audit.log"},
            "log_paths": {"type": "list", "elements": "str", "default": []},
            "action_names": {"type": "dict", "default": {}},
            "allowed_outcomes": {"type": "list", "elements": "str", "default": ["allowed"]},
            "denied_outcomes": {"type": "list", "elements": "str", "default": ["denied*"]},
            "allow": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "rule": {"type": "str", "choices": ["authorization", "key", "email", "iban", "card", "phone"]},
                    "field": {"type": "str"},
                    "pattern": {"type": "str"},
                },
            },
            "max_bytes": {"type": "int", "default": 256 * 1024 * 1024},
            "rotated_files": {"type": "int", "default": 1},
            "settle": {"type": "float", "default": 5.0},
            "clock_skew": {"type": "float", "default": 5.0},
            "trace_deadline": {"type": "float", "default": 10.0},
            "model": {"type": "str", "default": "gpt-4o-mini"},
        },
        supports_check_mode=True,
    )
    run(module, "audit_pii", check.examine)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: api_check
short_description: Hold a gateway's API against its OpenAPI document and its last release
version_added: 0.1.0
description:
  - Reads the OpenAPI document of an environment (3.0 or 3.1) within bounds, validates it, and judges its rules. Every path carries its
    version, and every operation has an operationId, a security requirement and an error answer.
  - Compares it with the last released document. A change that breaks clients fails unless the major number of C(info.version) grew; what
    was deprecated may go after its C(x-sunset) date.
  - Compares what is served with the document, and a few live answers with what is documented for them. It submits one chat with an
    explanation attached; other calls only read. A base path in the document's C(servers) belongs to what stands before O(base_url).
  - Asks for a version that is not documented. An answer, or a redirect to what is documented, is C(unversioned-alias). An answer that
    says nothing of the kind, such as C(429), C(503) or a redirect elsewhere, makes the verdict inconclusive.
  - Reads the change-management document for a section on architecture decision records and one on the freeze policy.
  - Fails with C(spec-unreadable), C(spec-invalid), C(path-not-versioned), C(spec-incomplete), C(breaking-change), C(change-doc-missing),
    C(change-doc-missing-adr), C(change-doc-missing-freeze), C(served-missing), C(served-differs), C(unversioned-alias),
    C(runtime-hif-version) or C(answer-not-documented). Parts that lack a precondition are skipped, and the verdict names them.
  - Answers of another kind than a call was made to get, such as a refusal where a caller should be let through, are left to the checks
    that own that behaviour.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
options:
  spec_path:
    description:
      - OpenAPI document, YAML or JSON of at most 2 MiB, on the host where the module runs. References must stay inside the document.
      - Where it is empty, the served document is judged in its place.
    type: path
  released_spec_path:
    description: The document of the last release. Where it is empty, breaking changes are not examined.
    type: path
  served_path:
    description: Path under O(base_url) where the service serves its document, as JSON or YAML. Empty where it serves none.
    type: str
    default: /v1/openapi.json
  served_may_differ:
    description: JSON pointers of places in which the served document may differ from the file, with everything below them. V([]) for none.
    type: list
    elements: str
    default: [/servers]
  unversioned_paths:
    description: Documented paths that need no version, such as V(/healthz).
    type: list
    elements: str
    default: []
  change_document_path:
    description: The change-management document, Markdown, on the host where the module runs. Where it is empty, it is not examined.
    type: path
  model:
    description: Model name to send with the chat.
    type: str
    default: gpt-4o-mini
  trace_deadline:
    description: Seconds the trace of that chat may take to end.
    type: float
    default: 15.0
requirements:
  - jsonschema
  - openapi-spec-validator
  - PyYAML
seealso:
  - module: hypergraph.sidecar.rbac_probe
  - module: hypergraph.sidecar.trace_probe
"""

EXAMPLES = r"""
- name: The API is served as documented, without an unannounced break
  hypergraph.sidecar.api_check:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    spec_path: /srv/release/api/openapi/hypergraph-api.yaml
    released_spec_path: /srv/release/api/openapi/released/hypergraph-api.yaml
    change_document_path: /srv/release/docs/change-management.md
  register: sidecar_verdict_api

- name: A gateway that fills in its own contact, and documents its health route
  hypergraph.sidecar.api_check:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    spec_path: /srv/release/api/openapi/hypergraph-api.yaml
    served_may_differ: [/servers, /info/contact]
    unversioned_paths: [/healthz]
  register: sidecar_verdict_api
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(api_versioning), schema C(verdict-1).
    - C(evidence.breaking_changes) lists every break with its rule, place and operations, also where a major version permits it.
    - C(evidence.operations_not_called) names the documented operations that no live call was judged for.
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: api_versioning
    status: fail
    reason: "1 breaking change(s) from version 1.3.0 to 1.4.0: response-property-removed at
      #/components/schemas/TraceStatus/properties/granularity: property 'granularity' was taken away (in GET /v1/traces/{trace_id}/status)"
    reason_code: breaking-change
    examined: {paths: 9, operations: 10, released operations compared: 9, rules of compatible change: 36, live answers: 9}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: >-
    pass: 13 assertions hold; examined 9 paths, 10 operations, 9 released operations compared, 36 rules of compatible change, 5 change
    document sections, 9 live answers
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import check


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "spec_path": {"type": "path"},
            "released_spec_path": {"type": "path"},
            "served_path": {"type": "str", "default": "/v1/openapi.json"},
            "served_may_differ": {"type": "list", "elements": "str", "default": ["/servers"]},
            "unversioned_paths": {"type": "list", "elements": "str", "default": []},
            "change_document_path": {"type": "path"},
            "model": {"type": "str", "default": "gpt-4o-mini"},
            "trace_deadline": {"type": "float", "default": 15.0},
        },
        supports_check_mode=True,
    )
    run(module, "api_versioning", check.examine)


if __name__ == "__main__":
    main()

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the connection arguments, which all modules of the action group share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments named C(connection) and C(connection.verdict)."""

    DOCUMENTATION = r"""
options:
  base_url:
    description:
      - Address of the gateway, without path. Redirects are never followed.
    type: str
    required: true
  tokens:
    description:
      - Bearer tokens of the environment with what each is expected to be good for.
      - Tokens whose value is empty count as absent, and the verdict says which.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How reports call the token. Its value is never shown.
        type: str
        required: true
      token:
        description: The value, at least 8 characters of those RFC 6750 allows. May be empty.
        type: str
        required: true
      tenant_id:
        description: The tenant the token speaks for.
        type: str
        required: true
      scopes:
        description: The scopes it carries.
        type: list
        elements: str
        required: true
      subject:
        description: Whom the audit log names for it. Without it the subject of audit entries is not compared.
        type: str
  auth_mode:
    description:
      - Whether the environment enforces tokens. With V(none), checks of authority are skipped and say so.
    type: str
    choices: [static, none]
    default: static
  ca_path:
    description:
      - CA bundle that signed the gateway's certificate. Without it the environment variable E(REQUESTS_CA_BUNDLE) or the
        bundle of the Python library requests is used.
    type: path
  validate_certs:
    description:
      - Whether the gateway's certificate must be valid.
    type: bool
    default: true
  timeout:
    description:
      - Seconds one request may take, from connecting to its last byte.
    type: float
    default: 10.0
  deadline:
    description:
      - Seconds the whole check may take before it ends as an error.
    type: float
    default: 60.0
requirements:
  - requests
attributes:
  action_group:
    description: Takes its connection from C(module_defaults) of C(group/hypergraph.sidecar.all).
    support: full
    membership:
      - hypergraph.sidecar.all
  check_mode:
    description: Can run in check mode, where it sends nothing that would leave work behind and skips what needs it.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
author:
  - hypergraph.sidecar contributors (@hypergraph)
"""

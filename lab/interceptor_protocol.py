"""Headers between gateway and interceptor.

``x-sidecar-hop`` carries the secret that proves the gateway; ``x-sidecar-trace`` asks for an explanation: a JSON object of trace_id,
tenant_id, granularity, featureset and created_at.
"""

from __future__ import annotations

HOP_HEADER = "x-sidecar-hop"
TRACE_HEADER = "x-sidecar-trace"

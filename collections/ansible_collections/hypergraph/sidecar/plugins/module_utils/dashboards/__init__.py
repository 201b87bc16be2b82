# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""observability, the part that reads: whether what dashboards, alerts and scalers ask for is what the services export.

``grafana``, ``prometheus_rules`` and ``scaled_objects`` read queries from artifacts, ``variables`` gives Grafana's variables values.
``exported`` knows the series there are, ``labels`` the labels of an expression, ``usage`` how it uses its series. ``rules`` and
``alert_rules`` hold queries to them, and ``check`` puts all that in order.
"""

from __future__ import annotations

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""capacity_attach_rate: how many explainer replicas a declared load needs, and whether the deployment's bounds give them.

``model`` is the arithmetic, pure; ``inputs`` reads arguments, ``deployed`` what the chart states, ``measured`` what running explainers
count; ``rules`` hold the deployment to the model, and ``check`` holds them together. The formulas are derived in docs/guides/capacity.md.
"""

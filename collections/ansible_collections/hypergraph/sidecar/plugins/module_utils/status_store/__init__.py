# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tenant_isolation at rest: what the explainer's StatusStore says about whose a trace is.

``records`` surveys and judges stored records, ``json_file`` and ``dynamodb`` read them from where they lie, and ``check`` follows a trace
of its own through the store.
"""

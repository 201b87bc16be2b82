# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Hypergraph Interchange Format (HIF, doi:10.1017/nws.2025.10018) and ``hif-1``, which is HIF plus a top-level member ``meta``."""

from __future__ import annotations

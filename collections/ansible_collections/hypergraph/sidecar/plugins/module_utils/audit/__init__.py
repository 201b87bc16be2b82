# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""audit_pii in parts: driving actions with canaries, following the log, searching it, finding personal data, matching entries, judging."""

from __future__ import annotations

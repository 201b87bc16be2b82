# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check's day with one trace, in parts: its life, its graph, canceling it, being told of it, reading what does not exist."""

from __future__ import annotations

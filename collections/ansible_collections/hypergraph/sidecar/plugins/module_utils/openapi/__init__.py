# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""api_versioning: an OpenAPI document is read, judged by rules, compared with the last release, and held against what is served."""

from __future__ import annotations

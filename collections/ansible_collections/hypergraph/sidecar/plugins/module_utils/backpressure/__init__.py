# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the service gives way as it should when more explanations are asked for than it can make.

From bottom to top: what is observed, reading the ladder's metrics and watching them, the load's plans, driving it, and judging.
"""

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tenant_isolation over HTTP: every tenant tries to reach what each other tenant owns.

``parties`` speaks as a tenant, ``looks`` reads single answers, ``judgement`` turns observations of a pair into records of the verdict, and
``probe`` walks the pairs.
"""

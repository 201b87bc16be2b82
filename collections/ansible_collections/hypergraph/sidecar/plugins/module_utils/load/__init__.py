# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Driving load and judging what was measured.

``engine`` runs a ``plan``: ``chats`` sends by the ``schedule`` over ``channel``s that speak ``http1``, ``polling`` follows explanations,
``records`` and ``tally`` keep what happened in lines and in constant memory, ``health`` watches the generator itself, ``clock``
its clock. ``rebuild`` makes a summary from the records of a run that died; ``retention`` removes old runs.
"""

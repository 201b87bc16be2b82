# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: from what tasks registered to a ``report-1`` document, and from the document to the files people and programs read.

It is made where ansible-playbook runs, never on a target: ``collect`` reads the registered results, ``build`` joins them with the gate, the
waivers, the ``scope`` of the run, its ``snapshot``, its ``command`` and its ``history`` into one document; ``markdown``, ``html`` (with
``charts``), ``junit`` and ``prometheus`` render that document and nothing else; ``store`` writes and retires whole runs.
"""

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""observability: what the metrics endpoints of a sidecar expose, and whether it moves when the service works.

``expectations`` says which families there should be. ``exposition`` parses strictly, with the rules of text 0.0.4 in ``text_format``;
``scrape`` reads an endpoint once; ``drive`` makes the service work; ``observation`` does both in turn. ``presence``, ``histograms``,
``movement`` and ``cardinality`` hold the rules, and ``probe`` puts them in order.
"""

from __future__ import annotations

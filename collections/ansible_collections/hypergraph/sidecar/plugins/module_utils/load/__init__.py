# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gateway_rbac: the scope matrix of a gateway, every route asked without token, with an unknown one, and with each token.

A deny counts only beside an allow of the same request, else a broken route would look well guarded; and it must leave nothing behind.
``contract`` says who may what, ``resources`` prepares and reads back what requests are tried on, ``matrix`` asks, ``judgement`` and
``coverage`` turn the answers into records of the verdict, and ``probe`` holds them together.
"""

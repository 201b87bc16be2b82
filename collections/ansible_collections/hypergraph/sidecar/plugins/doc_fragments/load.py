# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that modules share which drive load."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments named C(load), C(load.chats) and C(load.objectives)."""

    DOCUMENTATION = r"""
options:
  environment:
    description: What the summary calls the environment.
    type: str
    default: ""
  run_id:
    description: What the summary calls the run. Without it, the time and some random digits.
    type: str
  explanation_timeout:
    description: Seconds an explanation may take before it counts as unfinished.
    type: float
    default: 60.0
  clock_offset_ms:
    description: By how much the generator's clock is ahead. The action plugin measures it; give it only where the module is run without.
    type: float
"""

    CHATS = r"""
options:
  featureset:
    description: Featureset that explanations are asked with.
    type: str
    default: sae-gpt4-2m
  model:
    description: Model name to send with chats.
    type: str
    default: gpt-4o-mini
"""

    OBJECTIVES = r"""
options:
  slo_ms:
    description: What answers may take in milliseconds, to count those that take longer.
    type: dict
    default: {}
    suboptions:
      chat:
        description: A chat.
        type: float
        default: 500.0
      sentence:
        description: An explanation by sentence.
        type: float
        default: 2000.0
      token:
        description: An explanation by token.
        type: float
        default: 8000.0
"""

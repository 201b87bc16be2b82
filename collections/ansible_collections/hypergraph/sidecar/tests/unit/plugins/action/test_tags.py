# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's rule of tags is the rule of the Ansible at hand."""

from __future__ import annotations

from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import find
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scope import Scope
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import law

WORDS = ("all", "tagged", "untagged", "always", "never", "runtime", "security", "gateway_rbac", "our_queue")
selections = st.lists(st.sampled_from(WORDS), max_size=3, unique=True).map(tuple)


@law
@given(st.sampled_from(("preflight", "gateway_rbac", "our_queue", "never")), selections, selections)
@example("preflight", ("all",), ("all", "always"))
@example("never", ("all",), ())
@example("never", ("tagged",), ())
def test_selection_is_ansibles_own(check: str, tags: tuple[str, ...], skip_tags: tuple[str, ...]) -> None:
    catalogued = find(check)
    task = Task(block=Block(play=Play()))
    task.tags = [check, *(catalogued.tags if catalogued else ())]
    assert Scope(tags=tags, skip_tags=skip_tags).selects(check) is task.evaluate_tags(list(tags), list(skip_tags), {})

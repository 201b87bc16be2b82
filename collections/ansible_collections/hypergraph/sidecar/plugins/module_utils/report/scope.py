# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run was asked to look at: tags, limit and groups. From it follows why a check has no result, and which host kept silent."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..catalog import find
from ..gate import NO_RESULT, NOT_RUN
from ..verdict import Headline


@dataclass(frozen=True)
class Scope:
    """The selection of a run. ``groups`` holds the hosts of each inventory group, those within the limit only."""

    tags: tuple[str, ...] = ("all",)
    skip_tags: tuple[str, ...] = ()
    limit: str = ""
    start_at_task: str = ""
    check_mode: bool = False
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def restrictions(self) -> tuple[str, ...]:
        """The options that keep this run from looking at everything, as they were given."""
        found = self._selection
        if self.limit:
            found.append(f"--limit {shlex.quote(self.limit)}")
        if self.start_at_task:
            found.append(f"--start-at-task {shlex.quote(self.start_at_task)}")
        if self.check_mode:
            found.append("--check")
        return tuple(found)

    def selects(self, check: str) -> bool:
        """Whether --tags and --skip-tags let the check's tasks run, by Ansible's own rule. Tasks of a check carry its id as a tag."""
        catalogued = find(check)
        tags = {check, *(catalogued.tags if catalogued else ())}
        by_name = not tags.isdisjoint({"always", *self.tags})
        by_kind = "never" not in tags and not {"all", "tagged"}.isdisjoint(self.tags)
        return (not self.tags or by_name or by_kind) and not self._skips(tags)

    def absence(self, check: str) -> Headline:
        """Why a check has no result: it was not selected, its groups have no host, or else something ended its play."""
        if not self.selects(check):
            action = f"Run with --tags {check}, or without --tags and --skip-tags."
            return Headline(NOT_RUN, f"not selected by {' '.join(self._selection)}", "not-selected", action)
        groups = groups_of(check)
        empty = [group for group in groups if not self.groups.get(group)]
        if empty and len(empty) == len(groups):
            within = f" within --limit {self.limit}" if self.limit else ""
            named = " and ".join(empty)
            return Headline(NOT_RUN, f"no host in {named}{within}", "group-empty", f"Name a host in {named} of the inventory.")
        if self.limit and not groups and find(check):
            action = "Run without --limit, or name localhost in it too."
            return Headline(NOT_RUN, f"it runs on the controller, and the run was limited by --limit {self.limit}", "not-selected", action)
        return NO_RESULT

    def silent_hosts(self, check: str, heard: Iterable[str]) -> dict[str, str]:
        """Hosts with their group that brought no result where others of the same group did: something ended their play before the check."""
        answered = frozenset(heard)
        silent: dict[str, str] = {}
        catalogued = find(check)
        if catalogued and catalogued.one_host:
            return silent
        for group in groups_of(check):
            hosts = self.groups.get(group, ())
            if answered.intersection(hosts):
                silent.update((host, group) for host in hosts if host not in answered)
        return silent

    def _skips(self, tags: set[str]) -> bool:
        if "all" in self.skip_tags:
            return "always" not in tags or "always" in self.skip_tags
        return "tagged" in self.skip_tags or not tags.isdisjoint(self.skip_tags)

    @property
    def _selection(self) -> list[str]:
        chosen = bool(self.tags) and "all" not in self.tags
        only = [f"--tags {','.join(self.tags)}"] if chosen else []
        return [*only, *([f"--skip-tags {','.join(self.skip_tags)}"] if self.skip_tags else [])]


def groups_of(check: str) -> tuple[str, ...]:
    """The groups whose hosts the check runs on; a check is complete when every host of such a group has answered."""
    catalogued = find(check)
    return catalogued.groups if catalogued else ()

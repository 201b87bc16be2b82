# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change-management document counts by headings with content, and by nothing else."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.change_document import ADR, FREEZE, has_section, sections

SOUND = """# Change management

## Architecture decision records

Every decision of consequence becomes an ADR under docs/adr.

## Freeze policy

No deploys from Friday noon to Monday.
"""


def has(markdown: str) -> tuple[bool, bool]:
    found = sections(markdown)
    return has_section(found, ADR), has_section(found, FREEZE)


def test_a_sound_document_has_both() -> None:
    assert has(SOUND) == (True, True)
    assert [(section.level, section.heading) for section in sections(SOUND)] == [
        (1, "Change management"),
        (2, "Architecture decision records"),
        (2, "Freeze policy"),
    ]


@pytest.mark.parametrize(
    "heading", ["## ADRs", "### When an ADR is due ###", " # ADR", "ADR\n===", "Architectural decisions\n---", "## **ADR**\t"]
)
def test_headings_in_every_spelling(heading: str) -> None:
    assert has(f"# Title\n\n{heading}\n\nWrite one.\n") == (True, False)
    assert has(f"# Title\r\n\r\n{heading}\r\n\r\nWrite one.\r\n".replace("\n", "\r\n").replace("\r\r", "\r")) == (True, False)


@pytest.mark.parametrize(
    "markdown",
    [
        "",
        "We write ADRs, and there is a freeze policy.",
        "# ADRs and the freeze policy\n\n## Scope\n\nAll services.\n",
        "# Changes\n\n## ADR\n\n## Freeze\n",
        "# Changes\n\n## ADR\n\nTBD\n\n## Freeze policy\n\n- TODO\n",
        "# Changes\n\n## ADR\n\n<!-- Write one. -->\n\n## Freeze\n\n***\n",
        "# Changes\n\n## ADR\n\n### When\n\n### Why\n\n## Freeze\n\nto be defined.\n",
        "# Changes\n\n## ADR\n\n## Scope\n\nAll.\n\n## Freeze\n\n# Annex\n\nAll.\n",
        "# Changes\n\n```\n## ADR\nText.\n## Freeze\nText.\n```\n",
        "# Changes\n\n~~~~ text\n## ADR\nText\n~~~\n## Freeze\nText\n",
        "# Changes\n\n<!--\n## ADR\nText.\n\n## Freeze\nText.\n-->\n",
        "# Changes\n\n##ADR\nText.\n\n    ## Freeze\n    Text.\n",
        "# Changes\n\n## Quadrants\n\nText.\n\n## Freezer\n\nText.\n",
        "---\ntitle: ADR\nfreeze: yes\n---\n\nText.\n",
        "# Changes\n\n- ADR\n---\nText\n",
        "# Changes\n\n| Freeze |\n|---|\n| ADR |\n",
    ],
)
def test_words_in_passing_titles_and_empty_sections_do_not_count(markdown: str) -> None:
    assert has(markdown) == (False, False)


@pytest.mark.parametrize(
    "markdown",
    [
        "# ADR\n\nOne each.\n\n# Freeze\n\nOn Fridays.\n",
        "## ADR\n\n### When\n\nAlways.\n\n## Freeze\n\n```\nFri 12:00 - Mon 08:00\n```\n",
        "## ADR\n\n| what | where |\n|---|---|\n| ADR | docs |\n\n## Change freezes\n\n> Fridays.\n",
        "# Changes\n\n## Decisions\n\n### ADR\n\nOne each.\n\n### Freeze\n\nFridays.\n",
    ],
)
def test_content_of_any_kind_counts(markdown: str) -> None:
    assert has(markdown) == (True, True)


def test_a_single_heading_over_everything_is_a_section() -> None:
    assert has("# ADR\n\nOne each.\n") == (True, False)

"""The rules on artifacts: each is told in the collection's docs/rules.md, as it is registered.

`python -m tests.contracts.test_rules` writes the page anew.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.rules import Registry, Rule

LIBRARY = "ansible_collections.hypergraph.sidecar.plugins.module_utils"
PAGE = Path(__file__).parents[2] / "collections/ansible_collections/hypergraph/sidecar/docs/rules.md"
ROOMS = {
    "argocd": "deploy_artifacts",
    "chart": "deploy_artifacts",
    "autoscaling": "autoscaling_policies",
    "capacity": "capacity_attach_rate",
    "dashboards": "observability",
    "live": "deploy_artifacts",
}
HEAD = """\
# Rules on what is to be deployed

A rule looks at every object of its kind. One that finds none is *not applicable*, and counted as such, never as a pass. A rule's id is its
reason code. `disabled_rules` (`sidecar_disabled_rules`) switches rules off by id, and the verdict says so; a warning fails only where
`fail_on` (`sidecar_fail_on`) is `warning`.
"""


def rules_of(room: str) -> dict[str, Rule]:
    """Every rule that a package of the library registers, by id."""
    package = importlib.import_module(f"{LIBRARY}.{room}")
    modules = [importlib.import_module(f"{LIBRARY}.{room}.{found.name}") for found in pkgutil.iter_modules(package.__path__)]
    registries = [value for module in modules for value in vars(module).values() if isinstance(value, Registry)]
    return {rule.id: rule for registry in registries for rule in registry}


def page() -> str:
    """The page as it should be."""
    text = HEAD
    for room, check in ROOMS.items():
        text += f"\n## {check}: {room}\n\n| rule | holds when | severity | what to do | source |\n|---|---|---|---|---|\n"
        for rule in sorted(rules_of(room).values(), key=lambda rule: rule.id):
            cells = (f"`{rule.id}`", rule.title, rule.severity, rule.fix, rule.source)
            text += "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
    return text


def test_every_rule_is_told_as_it_is_registered() -> None:
    assert all(rules_of(room) for room in ROOMS)
    assert PAGE.read_text() == page(), "run python -m tests.contracts.test_rules"


if __name__ == "__main__":
    PAGE.write_text(page())

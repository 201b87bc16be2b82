"""The contracts of the layout: each thing is where README and DESIGN say, once, and the artifact that users install has it all."""

from __future__ import annotations

import re
import subprocess
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.running import CHECKOUT, environment

COLLECTION = CHECKOUT / "collections/ansible_collections/hypergraph/sidecar"
CHECKOUT_ONLY_PLAYBOOKS = {"lab"}


def load(path: Path) -> Any:
    """A YAML file's content."""
    return yaml.safe_load(path.read_text())


def plugins(kind: str) -> set[str]:
    """Names of the collection's plugins of a kind."""
    return {path.stem for path in (COLLECTION / "plugins" / kind).glob("*.py")}


def test_every_door_is_one_import_of_its_twin() -> None:
    doors = {path.stem: load(path) for path in (CHECKOUT / "playbooks").glob("*.yml") if path.stem not in CHECKOUT_ONLY_PLAYBOOKS}
    twins = {path.stem for path in (COLLECTION / "playbooks").glob("*.yml")}
    assert set(doors) == twins
    for name, plays in doors.items():
        assert [set(play) - {"name"} for play in plays] == [{"ansible.builtin.import_playbook"}], name
        assert plays[0]["ansible.builtin.import_playbook"] == f"hypergraph.sidecar.{name}"


def test_awx_offers_every_door() -> None:
    # The rule by which AWX lists a file as a playbook (awx/main/utils/ansible.py).
    offered = re.compile(r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):\s*?.*?$")
    for door in (CHECKOUT / "playbooks").glob("*.yml"):
        assert not door.is_symlink()
        assert any(offered.match(line) for line in door.read_text().splitlines()), door.name


def test_modules_share_the_action_group_the_action_and_the_catalogue() -> None:
    from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CATALOG, CHECK_OF_MODULE

    controller_side = {"report", "verdict"}
    # What acts is judged later, by a check that takes no argument of a group.
    acting, judging = {"chaos", "chaos_watch", "load", "load_beside"}, {"recovery_check", "slo_check", "soak_check"}
    # They give no verdict, and nothing is to be done for them on the controller.
    plain = {"load_prune", "load_rebuild", "soak_plan", "soak_watch"}
    assert plugins("modules") - plain == plugins("action") == {*CHECK_OF_MODULE, *controller_side, *acting}
    groups = load(COLLECTION / "meta/runtime.yml")["action_groups"]
    grouped = {*CHECK_OF_MODULE, *acting, "soak_watch"}
    assert sorted([*groups["all"], *groups["artifacts"], *groups["chaos"], *judging]) == sorted(grouped)
    assert set(CHECK_OF_MODULE.values()) | {"preflight"} == {check.id for check in CATALOG}


def test_every_check_has_a_runbook_entry() -> None:
    from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CATALOG

    for check in CATALOG:
        page, anchor = check.runbook.split("#")
        assert f"\n## {anchor}\n" in (COLLECTION / page).read_text(), check.id


def test_every_task_of_a_playbook_is_selected_by_its_check() -> None:
    from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CHECK_OF_MODULE, find

    plays = [
        play for name in ("verify", "pre_deploy", "chaos", "load", "backpressure") for play in load(COLLECTION / f"playbooks/{name}.yml")
    ]
    shared = [load(path) for path in sorted((COLLECTION / "playbooks/tasks").glob("*.yml"))]
    assert shared
    for tasks in (*(play["tasks"] for play in plays), *shared):
        for task in tasks:
            module = next((key.rpartition(".")[2] for key in task if key.rpartition(".")[2] in CHECK_OF_MODULE), None)
            if module:
                check = find(CHECK_OF_MODULE[module])
                assert check is not None
                assert check.id in task["tags"] and set(task["tags"]) <= {check.id, *check.tags}, task["name"]
                assert task["register"].startswith("sidecar_verdict_")


def test_dependencies_agree() -> None:
    groups = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["dependency-groups"]
    pinned = (COLLECTION / "requirements.txt").read_text().splitlines()
    assert sorted(pinned, key=str.lower) == sorted(groups["collection"], key=str.lower)
    environment_file = load(COLLECTION / "meta/execution-environment.yml")
    assert environment_file["dependencies"] == {"python": "requirements.txt", "system": "bindep.txt"}


def test_versions_agree() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert load(COLLECTION / "galaxy.yml")["version"] == project["version"]
    supported = load(COLLECTION / "meta/runtime.yml")["requires_ansible"]
    for page in (CHECKOUT / "README.md", COLLECTION / "README.md"):
        assert supported.removeprefix(">=").removesuffix(".0") in page.read_text(), page
    assert "ansible-core>=2.16" in tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["dependency-groups"]["run"]


def test_built_artifact_is_the_whole_product(tmp_path: Path) -> None:
    subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", str(tmp_path)], cwd=COLLECTION, env=environment(), check=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as artifact:
        names = set(artifact.getnames())
        links = [member.name for member in artifact.getmembers() if member.issym() or member.islnk()]
    tracked = subprocess.run(["git", "ls-files", "."], cwd=COLLECTION, capture_output=True, text=True, check=True).stdout.split()
    assert links == []
    assert {"galaxy.yml"} == set(tracked) - names


def test_the_roles_link_points_inwards() -> None:
    assert (CHECKOUT / "roles").is_symlink()
    assert str((CHECKOUT / "roles").readlink()) == "collections/ansible_collections/hypergraph/sidecar/roles"


def test_only_the_collection_path_is_relied_on_in_ansible_cfg() -> None:
    # AWX ignores every other key of a project's ansible.cfg; the inventory is a convenience of the checkout.
    keys = {line.split("=")[0].strip() for line in (CHECKOUT / "ansible.cfg").read_text().splitlines() if "=" in line}
    assert keys == {"collections_path", "inventory"}


@pytest.mark.parametrize("name", ["lab", "staging", "production"])
def test_inventory_variables_are_documented_once(name: str) -> None:
    documented = re.findall(r"^\| `(sidecar_\w+)` \|", (CHECKOUT / "docs/guides/variables.md").read_text(), re.MULTILINE)
    assert len(documented) == len(set(documented))
    used = {key for path in (CHECKOUT / f"inventories/{name}").glob("group_vars/**/*.yml") for key in load(path)}
    internal = {"sidecar_lab", "sidecar_lab_state"}
    assert used - internal <= set(documented)


def test_playbook_variables_are_documented() -> None:
    documented = set(re.findall(r"^\| `(sidecar_\w+)` \|", (CHECKOUT / "docs/guides/variables.md").read_text(), re.MULTILINE))
    sources = [*(COLLECTION / "playbooks").rglob("*.yml"), *(COLLECTION / "roles").glob("*/defaults/*.yml")]
    used = {name for path in sources for name in re.findall(r"\bsidecar_\w+", path.read_text())}
    groups = {"sidecar_probes", "sidecar_gateways", "sidecar_explainers", "sidecar_load_generators"}
    registered = {name for name in used if name.startswith("sidecar_verdict_")}
    assert used - groups - registered == documented

"""What it costs to judge a chart: ``python -m benchmarks.chart`` writes the section *chart* of benchmarks/RESULTS.md.

Every contender is a process of its own. They take turns, round by round, so that what else the machine does meets all of them alike; ratios
are of the same round. A contender that does not do its work ends the benchmark: what is fast because it does nothing is not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.generated_chart import OBJECTS_PER_SERVICE, write_chart
from benchmarks.results import RESULTS, machine, spread, table, write_section
from benchmarks.timed import Cost, timed

CHECKOUT = Path(__file__).parent.parent
KUBE_VERSION = "1.33"
MODULES = ("chart_check", "autoscaling_check")
_MODULE = "ansible_collections.hypergraph.sidecar.plugins.modules"
# What runs a module in a fresh process as Ansible does: its arguments are a file.
_RUN_MODULE = (
    "import sys; from importlib import import_module; from pathlib import Path; from ansible.module_utils import basic; "
    "basic._ANSIBLE_ARGS = Path(sys.argv[2]).read_bytes(); basic._ANSIBLE_PROFILE = 'legacy'; import_module(sys.argv[1]).main()"
)


class NotDone(Exception):
    """A contender did not do what it was timed for."""


@dataclass(frozen=True)
class Contender:
    """A command to time. ``done`` says from its output how many objects it dealt with."""

    name: str
    command: Sequence[str]
    done: Callable[[str], int]


def main(argv: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chart", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--objects", type=int, nargs="+", default=[1000, 5000], help="sizes of the charts")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file whose section is written")
    given = parser.parse_args(argv)
    if min(given.objects) < OBJECTS_PER_SERVICE or given.rounds < 1:
        parser.error(f"--objects: at least {OBJECTS_PER_SERVICE} each; --rounds: at least 1")
    try:
        head = _head(given.rounds)
        parts = [_size(objects, given.rounds) for objects in given.objects]
    except NotDone as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    body = "\n\n".join([head, *parts])
    write_section("chart", body, given.results)
    print(body)
    return 0


def _size(objects: int, rounds: int) -> str:
    """Time all contenders on a chart of so many objects; their table."""
    with tempfile.TemporaryDirectory(prefix="benchmark-chart-") as scratch:
        home = Path(scratch)
        count = write_chart(home / "chart", objects)
        contenders, missing = _contenders(home)
        costs: dict[str, list[Cost]] = {one.name: [] for one in contenders}
        # The first round warms the caches of the disk and is not counted.
        for number in range(rounds + 1):
            turn = number % len(contenders)
            for one in (*contenders[turn:], *contenders[:turn]):
                cost = _timed(one, count, home / "output")
                if number:
                    costs[one.name].append(cost)
    return f"### {count} objects\n\n{_table(costs, count)}" + "".join(f"\n\n{line}" for line in missing)


def _contenders(home: Path) -> tuple[list[Contender], list[str]]:
    """Who takes part here, and a line for each who does not. The rendered chart is laid down for those who only read it."""
    helm = _helm()
    rendered = home / "rendered.yaml"
    template = [helm, "template", "hypergraph", str(home / "chart"), "--namespace", "hypergraph", "--kube-version", f"{KUBE_VERSION}.0"]
    with rendered.open("wb") as output:
        subprocess.run(template, stdout=output, check=True)  # noqa: S603
    found = [Contender("helm template", template, lambda said: len(re.findall(r"^kind: ", said, re.MULTILINE)))]
    for module in MODULES:
        arguments = home / f"{module}.json"
        given = {"chart_path": str(home / "chart"), "kube_version": KUBE_VERSION, "helm_path": helm, "deadline": 600}
        handed = {"_ansible_remote_tmp": str(home), "_ansible_keep_remote_files": False, **given}
        arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": handed}), encoding="utf-8")
        command = [sys.executable, "-c", _RUN_MODULE, f"{_MODULE}.{module}", str(arguments)]
        found.append(Contender(module, command, _judged))
    missing = []
    readers = (("kubeconform", _kubeconform(home, rendered), _validated), ("kube-linter", _kube_linter(rendered), _linted))
    for name, command, done in readers:
        if command:
            found.append(Contender(name, command, done))
        else:
            missing.append(f"{name}: not found on PATH, so not compared.")
    return found, missing


def _helm() -> str:
    found = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
    if found is None:
        raise NotDone("there is no helm; python -m lab.helm --into .venv/bin puts one there")
    return found


def _kubeconform(home: Path, rendered: Path) -> list[str]:
    """It fetches schemas from the network; here it is given those that the checks use, with their references made relative."""
    program = shutil.which("kubeconform")
    if program is None:
        return []
    packaged = Path(str(import_module("kubernetes_validate").__file__)).parent / "kubernetes-json-schema"
    schemas = home / "schemas"
    schemas.mkdir()
    for file in (packaged / f"v{KUBE_VERSION}.0-local-strict").glob("*.json"):
        schema = json.loads(file.read_text(encoding="utf-8").replace('"/api/_definitions.json', '"_definitions.json'))
        schema.pop("$id", None)
        (schemas / file.name).write_text(json.dumps(schema), encoding="utf-8")
    location = f"{schemas}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    options = ["-strict", "-output", "json", "-summary", "-ignore-missing-schemas", "-kubernetes-version", f"{KUBE_VERSION}.0"]
    return [program, *options, "-schema-location", location, str(rendered)]


def _kube_linter(rendered: Path) -> list[str]:
    program = shutil.which("kube-linter")
    return [program, "lint", "--format", "json", str(rendered)] if program else []


def _judged(said: str) -> int:
    """Objects that a module judged."""
    result = json.loads(said)
    verdict = result.get("verdict", {})
    if verdict.get("status") != "pass":
        raise NotDone(str(result.get("msg")))
    return int(verdict["evidence"].get("rendered_objects") or verdict["examined"]["rendered objects"])


def _validated(said: str) -> int:
    """Objects that kubeconform looked at; custom resources are of kinds it has no schemas of."""
    summary = json.loads(said)["summary"]
    if summary["invalid"] or summary["errors"] or not summary["valid"]:
        raise NotDone(f"kubeconform: {summary}")
    return int(summary["valid"]) + int(summary["skipped"])


def _linted(said: str) -> int:
    """kube-linter does not tell how many objects it looked at; that it did is told by its checks."""
    report: Mapping[str, Any] = json.loads(said)
    if not report.get("Checks"):
        raise NotDone("kube-linter held nothing to its checks")
    return -1


def _timed(one: Contender, count: int, output: Path) -> Cost:
    """Run it once and see that it dealt with all objects."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "collections")}
    errors = output.with_suffix(".errors")
    cost = timed(one.command, output, errors, environment)
    try:
        done = one.done(output.read_text(encoding="utf-8"))
    except (ValueError, KeyError) as problem:
        raise NotDone(f"{one.name} said nothing that can be read ({problem}): {errors.read_text(errors='replace')[-500:]}") from None
    if done not in (count, -1):
        raise NotDone(f"{one.name} dealt with {done} of {count} objects")
    return cost


def _table(costs: Mapping[str, Sequence[Cost]], count: int) -> str:
    alone = costs["helm template"]
    rows = [
        (
            name,
            spread([cost.wall for cost in all_costs], 2),
            spread([1000 * cost.wall / count for cost in all_costs], 2),
            spread([cost.wall / base.wall for cost, base in zip(all_costs, alone, strict=True)], 1),
            spread([cost.processor for cost in all_costs], 2),
            f"{max(cost.memory for cost in all_costs):.0f}",
        )
        for name, all_costs in costs.items()
    ]
    return table(("", "seconds", "ms an object", "x helm template", "processor seconds", "peak MiB"), rows)


def _head(rounds: int) -> str:
    told = subprocess.run([_helm(), "version", "--short"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    return f"""\
`python -m benchmarks.chart`: {machine()}, helm {told.strip().partition("+")[0]}.

A generated chart: Deployments, each with Service, ConfigMap, ServiceAccount, PodDisruptionBudget, NetworkPolicy, ServiceMonitor, and a
ScaledObject or HorizontalPodAutoscaler. Each contender is a process of its own; median [least-greatest] of {rounds} rounds in which all
take turns; a ratio is of two runs of the same round. `chart_check` and `autoscaling_check` are the modules as Ansible runs them: they start
Python, render by helm, read, and hold every object to every rule. kubeconform and kube-linter read what was rendered already; kubeconform
skips the custom resources, whose schemas it would fetch, and validates the others by the schemas that chart_check uses. Peak memory is that
of the largest process of a contender, helm among them."""


if __name__ == "__main__":
    sys.exit(main())

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chart as Helm renders it for an environment, by the real helm (3 or 4), without a cluster and without fetching anything.

Helm does not print the values it merged. They are asked of Helm itself: a copy of the chart gets one template more, which prints them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from ..faults import CheckError, CheckFault
from ..redaction import clipped
from .documents import parse_documents
from .objects import Object, mapping

_MAX_BYTES = 64 * 1024 * 1024
_PROBE_KIND = "MergedValues"
_PROBE_FILE = "hypergraph-sidecar-merged-values.yaml"
_PROBE = """\
apiVersion: hypergraph.sidecar/v1
kind: MergedValues
helm: {{ .Capabilities.HelmVersion.Version | quote }}
chart: {{ .Chart.Name | quote }}
version: {{ .Chart.Version | quote }}
values: {{ .Values | toJson }}
"""
_DOCUMENT = re.compile(r"^---[ \t]*\n(?:# Source: (.+)\n)?", re.MULTILINE)
# How Helm's errors begin, what they mean, and what to do.
_FAULTS = (
    (r"values don't meet the specifications of the schema", "values-break-schema", "Correct the values, or values.schema.json."),
    (r"missing in charts/ director|failed to load subchart", "chart-dependencies-missing", "Run helm dependency build in the chart."),
    (r"requires kubeVersion", "chart-kube-version", "Correct kube_version (sidecar_kube_version), or the chart's kubeVersion."),
    (r"failed parsing --set", "set-values-invalid", "Write each of set_values as key=value."),
    (r"failed to parse .*|cannot unmarshal|error unmarshaling", "values-invalid", "Correct the values file named."),
)


class HelmMissing(CheckFault):
    """There is no helm to render with. What needs the rendered chart is skipped, never judged from the templates' text."""

    def __init__(self) -> None:
        super().__init__(
            "helm-missing",
            "no helm is on PATH or beside the Python that runs the check",
            "Install helm 3.17 or newer (in a checkout: python -m lab.helm --into .venv/bin), or name it in helm_path (sidecar_helm_path).",
        )


@dataclass(frozen=True)
class Rendered:
    """What came of a chart: its objects in Helm's order, its values as Helm merged them, and who rendered it."""

    objects: tuple[Object, ...]
    values: Mapping[str, Any]
    helm_version: str
    chart_name: str
    chart_version: str


def render(params: Mapping[str, Any]) -> Rendered:
    """Render ``chart_path`` as the arguments CHART and ``kube_version`` say, within ``deadline`` seconds.

    The place of an object is its template; lines are unknown, since they are those of the output. Raises HelmMissing, or CheckError naming
    what is wrong with the chart, the values or the file.
    """
    helm = _helm(params.get("helm_path"))
    chart = _chart(FilePath(params["chart_path"]))
    for file in params["values_files"]:
        if not FilePath(file).is_file():
            raise CheckError("values-file-missing", f"values_files: {file} is no file", "Correct sidecar_values_files.")
    with tempfile.TemporaryDirectory(prefix="hypergraph-sidecar-") as scratch:
        copy = FilePath(scratch) / "chart" / chart.name
        try:
            shutil.copytree(chart, copy, ignore=shutil.ignore_patterns(".git"))
        except (OSError, shutil.Error) as problem:
            raise CheckError("chart-unreadable", f"{chart}: {clipped(str(problem))}", "Make the whole chart readable.") from None
        (copy / "templates").mkdir(exist_ok=True)
        (copy / "templates" / _PROBE_FILE).write_text(_PROBE, encoding="utf-8")
        output = _run([helm, *_arguments(params, copy)], FilePath(scratch), params["deadline"], chart)
    return _rendered(output, chart)


def _helm(path: str | None) -> str:
    if path:
        if not (FilePath(path).is_file() and os.access(path, os.X_OK)):
            raise CheckError("helm-unusable", f"helm_path {path} is no program", "Correct helm_path (sidecar_helm_path).")
        return path
    found = shutil.which("helm") or shutil.which("helm", path=str(FilePath(sys.executable).parent))
    if found is None:
        raise HelmMissing
    return found


def _chart(path: FilePath) -> FilePath:
    if not path.exists():
        raise CheckError("chart-missing", f"chart_path {path} is not there", "Correct sidecar_chart_path.")
    if not (path / "Chart.yaml").is_file():
        raise CheckError("not-a-chart", f"chart_path {path} has no Chart.yaml", "Name the chart's directory in sidecar_chart_path.")
    return path.resolve()


def _arguments(params: Mapping[str, Any], chart: FilePath) -> list[str]:
    version = str(params["kube_version"])
    kube_version = version if version.count(".") > 1 else f"{version}.0"
    arguments = ["template", params["release"], str(chart), "--namespace", params["namespace"], "--kube-version", kube_version]
    # Each value as one word with its option, so that one that begins with a dash is no option itself.
    arguments += ["--include-crds", "--skip-tests", *(f"--values={FilePath(file).resolve()}" for file in params["values_files"])]
    arguments += [f"--set={value}" for value in params["set_values"]]
    # helm template knows the APIs of client-go, which the aggregation of APIs is none of, though every cluster has it.
    arguments += [f"--api-versions={version}" for version in ("apiregistration.k8s.io/v1", *params["api_versions"])]
    return arguments


def _run(command: list[str], scratch: FilePath, deadline: float, chart: FilePath) -> str:
    # A home of its own: no plugin, repository or cluster of the account's takes part.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(scratch), "KUBECONFIG": str(scratch / "no-cluster")}
    environment.update({name: str(scratch / name) for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")})
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=deadline, check=False, cwd=scratch)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise CheckError("helm-timeout", f"helm did not render {chart} in {deadline:g} s", "Look for a loop, or raise deadline.") from None
    except OSError as problem:
        raise CheckError("helm-unusable", f"{command[0]}: {problem.strerror}", "Correct helm_path (sidecar_helm_path).") from None
    if done.returncode:
        raise _fault(done.stderr.decode(errors="replace"), chart, scratch)
    if len(done.stdout) > _MAX_BYTES:
        raise CheckError("chart-too-large", f"{chart} renders to more than {_MAX_BYTES >> 20} MiB", "Look for a loop in its templates.")
    return done.stdout.decode("utf-8", errors="replace")


def _fault(said: str, chart: FilePath, scratch: FilePath) -> CheckError:
    """Helm's error, with the chart's own path in place of its copy's."""
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith(("WARNING", "Use --debug", "level="))]
    text = " ".join(" ".join(lines).split()).removeprefix("Error: ").replace(str(scratch / "chart" / chart.name), str(chart))
    for pattern, code, action in _FAULTS:
        if re.search(pattern, text):
            return CheckError(code, f"helm: {clipped(text)}", action)
    return CheckError("chart-template-error", f"helm: {clipped(text)}", "Correct the template, or the value that it names.")


def _rendered(output: str, chart: FilePath) -> Rendered:
    objects: list[Object] = []
    told: Mapping[str, Any] = {}
    marks = list(_DOCUMENT.finditer(output))
    for position, mark in enumerate(marks):
        end = marks[position + 1].start() if position + 1 < len(marks) else len(output)
        # Helm names a template by the chart's name; a reader looks for the file.
        source = (mark[1] or chart.name).partition("/")[2] or str(mark[1] or "")
        for one in parse_documents(output[mark.end() : end], str(chart / source), rendered=True):
            if one.kind == _PROBE_KIND and source.endswith(_PROBE_FILE):
                told = one.body
            else:
                objects.append(one)
    return Rendered(
        tuple(objects), mapping(told.get("values")), str(told.get("helm", "")), str(told.get("chart", "")), str(told.get("version", ""))
    )

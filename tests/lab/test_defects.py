"""The catalogue of defects, and what single defects do. That each is caught by its check is for tests/matrix to say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CATALOG as CHECKS_OF_THE_COLLECTION
from lab import defects
from lab.defects import CATALOG, Defect, Defects, load_catalog
from lab.defects.artifacts import publish_artifacts
from lab.process.state_directory import CHECKOUT
from tests.conftest import Lab
from tests.lab.client import Api, eventually
from tests.lab.listener import listening

CHECKS = {check.id for check in CHECKS_OF_THE_COLLECTION} - {"preflight"}
FILES = sorted((CHECKOUT / "lab/defects/catalog").glob("*"))


def published_texts() -> dict[str, str]:
    """The documents that a lab publishes, by their path below lab/."""
    home = CHECKOUT / "lab"
    trees = ("api/openapi", "manifests", "dashboards")
    texts = {str(path.relative_to(home)): path.read_text() for tree in trees for path in (home / tree).rglob("*") if path.is_file()}
    return {**texts, "change-management.md": (CHECKOUT / "docs/change-management.md").read_text()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_catalogue_file_is_well_formed(path: Path) -> None:
    assert path.suffix == ".yaml"
    document = yaml.safe_load(path.read_text())
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", document["id"])
    assert document["check"] in CHECKS
    assert document["breaks"].endswith(".")
    assert document["id"].startswith("benign-") == bool(document.get("benign"))
    assert Defect.read(path) == CATALOG[path.stem]


def test_each_defect_is_coded_or_told_by_its_edits_and_no_other_is() -> None:
    code = "".join(path.read_text() for path in (CHECKOUT / "lab/defects").glob("*.py"))
    asked = set(re.findall(r'(?:applied|active|unlucky)\(\s*"([^"]+)"', code)) | set(
        re.findall(r'^    "([a-z0-9-]+)": [_(]', code, re.MULTILINE)
    )
    asked |= set(re.findall(r'\("(?:email|card)", "([^"]+)"\)', code))
    assert asked | {defect.id for defect in CATALOG.values() if defect.edits} == set(CATALOG)


def test_healthy_code_does_not_know_of_defects() -> None:
    for path in (CHECKOUT / "lab").rglob("*.py"):
        if path.is_relative_to(CHECKOUT / "lab/defects") or path.name in ("__main__.py", "serve.py", "lifecycle.py", "publication.py"):
            continue
        assert "lab.defects" not in path.read_text(), path


@pytest.mark.parametrize(
    ("change", "told"),
    [({"reason_code": ""}, "reason_code"), ({"status": "error"}, "status"), ({"id": "other"}, "id"), ({"extra": 1}, "no others")],
)
def test_malformed_catalogue_file_is_refused(change: dict[str, object], told: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump({"id": "x", "title": "t", "check": "c", "breaks": "b", "reason_code": "r", **change}))
    with pytest.raises(ValueError, match=told):
        Defect.read(path)


def test_a_defect_goes_on_record_once_when_it_is_applied(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    seeded = Defects(frozenset({"counter-frozen"}), "gateway", journal)
    assert seeded.active("counter-frozen")
    assert not journal.exists()
    assert seeded.applied("counter-frozen") and seeded.applied("counter-frozen")
    assert not seeded.applied("family-renamed")
    entry = json.loads(journal.read_text())
    assert (entry["defect"], entry["service"]) == ("counter-frozen", "gateway")
    assert entry["at"].endswith("Z")


DOCUMENT_DEFECTS = ["change-doc-without-adr", "change-doc-without-freeze", *(defect.id for defect in CATALOG.values() if defect.edits)]


@pytest.mark.parametrize("defect", DOCUMENT_DEFECTS)
def test_document_defect_changes_what_it_names_and_raises_where_it_cannot(defect: str, tmp_path: Path) -> None:
    texts = published_texts()
    seeded = Defects(frozenset({defect}), "up", tmp_path / "journal")
    edited = publish_artifacts(texts, seeded)
    named = {edit.file for edit in CATALOG[defect].edits} or {"change-management.md"}
    assert {name for name in texts if edited[name] != texts[name]} == named
    assert (tmp_path / "journal").exists()
    with pytest.raises(ValueError, match=r"expected once|changes nothing"):
        publish_artifacts(dict.fromkeys(texts, "nothing to see here\n"), seeded)


def test_sections_go_whole(tmp_path: Path) -> None:
    text = "# Rules\n\nIntro\n\n## ADR\n\na\n\n### Freeze of an ADR\n\nb\n\n## Freeze\n\nc\n"
    seeded = Defects(frozenset({"change-doc-without-adr"}), "up", tmp_path / "j")
    assert publish_artifacts({"change-management.md": text}, seeded) == {"change-management.md": "# Rules\n\nIntro\n\n## Freeze\n\nc\n"}


def test_defects_command_lists_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    from lab.__main__ import main

    assert main(["defects", "--json"]) == 0
    assert {entry["id"] for entry in json.loads(capsys.readouterr().out)} == set(CATALOG)
    assert main(["defects"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(CATALOG) + 1


def test_every_check_has_at_least_four_and_there_are_benign_ones() -> None:
    seeded = [defect for defect in load_catalog().values() if not defect.benign]
    assert all(sum(defect.check == check for defect in seeded) >= 4 for check in CHECKS)
    assert len(defects.CATALOG) - len(seeded) >= 2


# What defects do to a running lab; several that do not touch each other share one.


def applied(api: Api) -> set[str]:
    journal = Path(api.facts["state_dir"]) / "defects_applied.jsonl"
    return {json.loads(line)["defect"] for line in journal.read_text().splitlines()} if journal.exists() else set()


def seeded(start_lab: Callable[..., Lab], *ids: str) -> Api:
    api = Api(start_lab(*(argument for name in ids for argument in ("--defect", name))).facts)
    assert api.facts["defects"] == sorted(ids)
    return api


def test_access_defects(start_lab: Callable[..., Lab]) -> None:
    ids = (
        "anonymous-let-in",
        "unknown-token-let-in",
        "cancel-scope-unchecked",
        "denied-chat-enqueued",
        "anonymous-forbidden",
        "reader-refused",
    )
    api = seeded(start_lab, *ids)
    assert applied(api) == set()
    assert api.ask("GET", "/v1/openapi.json", "").status_code == 200
    assert api.ask("GET", "/v1/models", "").status_code == 401
    assert api.ask("GET", "/v1/openapi.json", "", {"authorization": "Bearer nobodys"}).status_code == 200
    assert api.ask("GET", "/v1/webhooks", "").status_code == 403
    assert [api.ask("GET", "/v1/webhooks", caller).status_code for caller in ("alpha-reader", "alpha-writer")] == [403, 200]
    before = len(api.ask("GET", "/v1/traces").json()["data"])
    assert api.chat(caller="alpha-reader").status_code == 403
    assert len(api.ask("GET", "/v1/traces").json()["data"]) == before + 1
    trace = api.submit(granularity="token")
    assert api.ask("POST", f"/v1/traces/{trace}/cancel", "alpha-reader").json()["state"] == "canceled"
    assert applied(api) == set(ids)


def test_isolation_defects(start_lab: Callable[..., Lab]) -> None:
    ids = ("foreign-graph-readable", "foreign-list-row", "foreign-cancel-effective", "foreign-content-echoed", "foreign-webhook-listed")
    api = seeded(start_lab, *ids, "tenant-rewritten")
    trace = api.submit("The canary is Quetzalcoatlus.")
    assert api.ended(trace)["tenant_id"] == "alpha"
    assert "Quetzalcoatlus" in api.ask("GET", f"/v1/traces/{trace}/status", "beta-writer").text
    assert api.ask("GET", f"/v1/traces/{trace}/graph", "beta-writer").status_code == 200
    assert [row["tenant_id"] for row in api.ask("GET", "/v1/traces", "beta-writer").json()["data"]] == ["alpha"]
    stored = json.loads(Path(api.facts["paths"]["status_store"]).read_text())[trace]
    assert stored["tenant_id"] == "alpha-archive"
    moving = api.submit(granularity="token")
    assert api.ask("POST", f"/v1/traces/{moving}/cancel", "beta-writer").status_code == 404
    assert api.status(moving)["state"] == "canceled"
    made = api.ask("POST", "/v1/webhooks", json={"url": "http://127.0.0.1:9/", "secret": "s" * 16}).json()
    assert made in api.ask("GET", "/v1/webhooks", "beta-writer").json()["data"]
    assert applied(api) == {*ids, "tenant-rewritten"}


def test_workflow_defects(start_lab: Callable[..., Lab]) -> None:
    ids = ("state-goes-back", "timestamps-swapped", "unknown-trace-fails", "graph-before-complete", "granularity-ignored", "never-ends")
    api = seeded(start_lab, *ids)
    trace = api.submit(granularity="token")
    assert api.ask("GET", f"/v1/traces/{trace}/graph").status_code == 200
    assert api.ask("GET", "/v1/traces/tr_0/status").status_code == 500
    eventually(lambda: api.status(trace)["state"] == "running")
    assert api.status(trace)["state"] == "queued"
    done = api.ended(trace)
    assert done["finished_at"] < done["started_at"]
    graph = api.ask("GET", f"/v1/traces/{trace}/graph").json()
    assert ({node["attrs"]["kind"] for node in graph["nodes"]}, graph["meta"]["granularity"]) == ({"sentence"}, "token")
    with listening(200) as hook:
        made = api.ask("POST", "/v1/webhooks", json={"url": hook.url, "secret": "s" * 16}).json()
        held = api.submit()
        eventually(lambda: "never-ends" in applied(api))
        assert api.status(held)["state"] in ("queued", "running")
        api.ask("DELETE", f"/v1/webhooks/{made['id']}")
        assert api.ended(held)["state"] == "complete"
    assert applied(api) == set(ids)


def test_audit_and_metrics_defects(start_lab: Callable[..., Lab]) -> None:
    ids = ("cancel-unaudited", "authorization-logged", "email-unscrubbed", "prompt-in-service-log", "counter-frozen", "trace-id-as-label")
    api = seeded(start_lab, *ids, "exposition-broken", "histogram-in-milliseconds", "family-renamed")
    trace = api.submit("The canary is Quetzalcoatlus. Mail jane@example.org.")
    api.ended(trace)
    api.ask("POST", f"/v1/traces/{trace}/cancel")
    log = Path(api.facts["paths"]["audit_log"]).read_text()
    assert "trace.cancel" not in log
    assert api.tokens["alpha-writer"] in log
    assert "jane@example.org" in log
    service_log = (Path(api.facts["paths"]["logs"]) / "gateway.log").read_text()
    assert "Quetzalcoatlus" in service_log
    assert "jane@" not in service_log
    assert api.metric("gateway", 'chat_requests_total{attached="true",outcome="answered"}') == 0
    assert api.metric("gateway", f'http_requests_total{{method="GET",route="/v1/traces/{trace}/status",status="200"}}') > 0
    assert api.metric("explainer", 'explainer_stage_duration_seconds_sum{stage="decode"}') > 10
    assert applied(api) == {*ids, "exposition-broken", "histogram-in-milliseconds", "family-renamed"}


def test_api_defects(start_lab: Callable[..., Lab]) -> None:
    ids = ("served-spec-differs", "response-field-removed", "runtime-hif-2", "path-unversioned", "change-doc-without-freeze")
    api = seeded(start_lab, *ids)
    trace = api.submit()
    assert "model" not in api.ended(trace)
    assert api.ask("GET", f"/v1/traces/{trace}/graph").json()["meta"]["version"] == "hif-2"
    served = api.ask("GET", "/v1/openapi.json").json()
    published = yaml.safe_load(Path(api.facts["paths"]["openapi"]).read_text())
    assert served["paths"].keys() == published["paths"].keys() - {"/v1/webhooks/{webhook_id}"}
    assert "/admin/queue" in served["paths"]
    assert "freeze" not in Path(api.facts["paths"]["change_management"]).read_text().lower().split("##", 1)[1]
    assert applied(api) == set(ids)

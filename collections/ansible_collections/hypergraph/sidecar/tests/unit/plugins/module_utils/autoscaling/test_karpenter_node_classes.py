# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the published definition of EC2NodeClass says in CEL is refused here too, and what only comes near it is not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling import karpenter_node_classes
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Path
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.autoscaling.scaled import rules_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import Edit, objects

REFERENCE = """
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: cpu}
spec:
  role: nodes
  amiSelectorTerms: [{alias: al2023@v20260801}]
  subnetSelectorTerms: [{tags: {discovery: lab}}]
  securityGroupSelectorTerms: [{tags: {discovery: lab}}]
  blockDeviceMappings: [{deviceName: /dev/xvda, rootVolume: true, ebs: {volumeSize: 50Gi}}]
"""
(RULE,) = (rule for rule in rules_of(karpenter_node_classes) if rule.id == "node-class-refused")
EBS = ("blockDeviceMappings", 0, "ebs")
INTERFACES, TRACKING, GROUP = ("networkInterfaces",), ("connectionTracking",), ("placementGroupSelector",)
RESERVATIONS, KUBELET = ("capacityReservationSelectorTerms",), ("kubelet",)
OWNER = "444455556666"


def interface(card: int, device: int = 0, kind: str = "interface") -> dict[str, Any]:
    return {"networkCardIndex": card, "deviceIndex": device, "interfaceType": kind}


def refused(path: Path, value: Any) -> list[str]:
    edit: Edit = ("EC2NodeClass/cpu", ("spec", *path), value)
    return [str(outcome) for outcome in RULE.judge(Bundle(karpenter=objects(REFERENCE, edit))) if not outcome.ok]


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("amiSelectorTerms", 0, "alias"), "al2023", "family@version, observed al2023"),
        (("subnetSelectorTerms", 0, "tags", "discovery"), "", "discovery"),
        (("securityGroupSelectorTerms", 0, "tags"), {"": "lab"}, "tags with a key and a value"),
        ((*EBS, "volumeInitializationRate"), 100, "snapshotID beside volumeInitializationRate"),
        (EBS, {"volumeInitializationRate": 100, "volumeSize": "9Gi", "snapshotID": ""}, "snapshotID beside volumeInitializationRate"),
        (INTERFACES, [interface(1)], "device 0 of card 0"),
        (INTERFACES, [interface(0, kind="efa-only")], "device 0 of card 0"),
        (INTERFACES, [interface(0), interface(0)], "device 0 of card 0 twice"),
        (INTERFACES, [interface(0), interface(1, 1, "efa-only"), interface(1, 2, "efa-only")], "2 on card 1"),
        (TRACKING, {}, "at least one of"),
        (RESERVATIONS, [{"ownerID": OWNER}], "observed ownerID"),
        (RESERVATIONS, [{"id": "cr-1", "tags": {"a": "b"}}], "id, tags"),
        (RESERVATIONS, [], "an empty list"),
        (RESERVATIONS, [{"tags": {"a": ""}}], "tags with a key and a value"),
        (GROUP, {}, "neither"),
        (GROUP, {"name": "a", "id": "pg-1"}, "name and id"),
        (KUBELET, {"evictionHard": {"memory.avail": "5%"}}, "memory.avail"),
        (KUBELET, {"kubeReserved": {"memories": "1Gi"}}, "memories"),
        (KUBELET, {"systemReserved": {"cpu": "-1"}}, "observed -1"),
        (KUBELET, {"imageGCHighThresholdPercent": 70, "imageGCLowThresholdPercent": 70}, "more than the 70"),
        (KUBELET, {"evictionSoft": {"memory.available": "5%"}}, "memory.available in evictionSoft alone"),
        (KUBELET, {"evictionSoftGracePeriod": {"pid.available": "1m"}}, "pid.available in evictionSoftGracePeriod alone"),
    ],
)
def test_what_the_definition_refuses_is_found(path: Path, value: Any, told: str) -> None:
    found = refused(path, value)
    assert any(told in line for line in found), found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (EBS, {"snapshotID": "snap-1", "volumeInitializationRate": 100}),
        (INTERFACES, []),
        (INTERFACES, [interface(1), interface(0), interface(0, 1, "efa-only"), interface(1, 1, "efa-only")]),
        (TRACKING, {"udpTimeout": "30s"}),
        (RESERVATIONS, [{"id": "cr-1"}, {"tags": {"a": "b"}, "ownerID": OWNER}]),
        # The definition refuses an id beside other fields only where every term is written so.
        (RESERVATIONS, [{"id": "cr-1", "tags": {"a": "b"}}, {"instanceMatchCriteria": "open"}]),
        (RESERVATIONS, None),
        (GROUP, {"name": "a"}),
        (KUBELET, {"evictionSoft": {"pid.available": "9%"}, "evictionSoftGracePeriod": {"pid.available": "1m"}}),
        (KUBELET, {"evictionHard": {"memory.available": "5%"}, "kubeReserved": {"cpu": "1", "pid": "100"}}),
        (KUBELET, {"imageGCHighThresholdPercent": 85, "imageGCLowThresholdPercent": 80}),
    ],
)
def test_what_the_definition_takes_is_not(path: Path, value: Any) -> None:
    assert refused(path, value) == []


@pytest.mark.parametrize("rubbish", [None, 7, "text", [], [7, None], {"a": 7}, True, [{"networkCardIndex": []}], {7: [7]}])
@pytest.mark.parametrize(
    "path", [INTERFACES, TRACKING, GROUP, RESERVATIONS, KUBELET, EBS, (*KUBELET, "evictionSoft"), ("subnetSelectorTerms", 0, "tags")]
)
def test_rubbish_is_no_crash(path: Path, rubbish: Any) -> None:
    assert all(isinstance(line, str) for line in refused(path, rubbish))

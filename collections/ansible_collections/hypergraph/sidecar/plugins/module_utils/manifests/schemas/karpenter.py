# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas of Karpenter's resources, ``karpenter.sh/v1`` and ``karpenter.k8s.aws/v1``, as of v1.14.

Written from the published definitions (``pkg/apis/crds`` of aws/karpenter-provider-aws). Their CEL rules are not here but in
``autoscaling/karpenter_*.py``, where each has words and a remedy of its own. Left open: ``kubelet`` of an EC2NodeClass, which the
definition itself leaves open, and the specs of node classes of EKS Auto Mode, which is not ours to know.
"""

from __future__ import annotations

from .parts import COUNT, FLAG, NAME, NUMBER, OPEN, QUANTITY, TEXT, Schema, list_of, map_of, one_of, record, resource, text

_KEY = text(r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$", maxLength=316)
_LABEL_VALUE = text(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$", maxLength=63)
_DURATION = r"([0-9]+(s|m|h))+"
_DURATION_OR_NEVER = text(rf"^({_DURATION}|Never)$")
_TAINT = record(("key", "effect"), key=_KEY, value=TEXT, effect=one_of("NoSchedule", "PreferNoSchedule", "NoExecute"), timeAdded=TEXT)
_NODE_CLAIM: dict[str, Schema] = {
    "nodeClassRef": record(("group", "kind", "name"), group=text(r"^[^/]+$"), kind=NAME, name=NAME),
    "requirements": list_of(
        record(
            ("key", "operator"),
            key=_KEY,
            operator=one_of("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Gte", "Lte"),
            values=list_of(_LABEL_VALUE),
            minValues={"type": "integer", "minimum": 1, "maximum": 50},
        ),
        maxItems=100,
    ),
    "taints": list_of(_TAINT),
    "startupTaints": list_of(_TAINT),
    "expireAfter": _DURATION_OR_NEVER,
    "terminationGracePeriod": text(rf"^{_DURATION}$"),
}
_NODE_POOL = record(
    ("template",),
    template=record(
        ("spec",),
        metadata=record(labels=map_of(_LABEL_VALUE, maxProperties=100), annotations=map_of(TEXT)),
        spec=record(("nodeClassRef", "requirements"), **_NODE_CLAIM),
    ),
    disruption=record(
        ("consolidateAfter",),
        consolidateAfter=_DURATION_OR_NEVER,
        consolidationPolicy=one_of("WhenEmpty", "WhenEmptyOrUnderutilized", "Balanced"),
        budgets=list_of(
            record(
                nodes=text(r"^((100|[0-9]{1,2})%|[0-9]+)$"),
                reasons=list_of(one_of("Underutilized", "Empty", "Drifted"), maxItems=50),
                schedule=text(r"^(@(annually|yearly|monthly|weekly|daily|midnight|hourly)|\S+(\s+\S+){4})$"),
                duration=text(r"^([0-9]+(h|m)|[0-9]+h[0-9]+m)(0s)?$"),
            ),
            maxItems=50,
        ),
    ),
    limits=map_of(QUANTITY),
    weight={"type": "integer", "minimum": 1, "maximum": 100},
    replicas=COUNT,
)
_TAGS = map_of(NAME, maxProperties=20)
_EC2_NODE_CLASS = record(
    ("amiSelectorTerms", "securityGroupSelectorTerms", "subnetSelectorTerms"),
    amiFamily=one_of("AL2", "AL2023", "Bottlerocket", "Custom", "Windows2019", "Windows2022", "Windows2025"),
    amiSelectorTerms=list_of(
        record(
            alias=text(r"^[a-zA-Z0-9]+@.+$", maxLength=30), id=text(r"^ami-[0-9a-z]+"), name=TEXT, owner=TEXT, ssmParameter=TEXT, tags=_TAGS
        ),
        minItems=1,
        maxItems=30,
    ),
    subnetSelectorTerms=list_of(record(id=text(r"^subnet-[0-9a-z]+"), tags=_TAGS), minItems=1, maxItems=30),
    securityGroupSelectorTerms=list_of(record(id=text(r"^sg-[0-9a-z]+"), name=TEXT, tags=_TAGS), minItems=1, maxItems=30),
    capacityReservationSelectorTerms=list_of(
        record(id=text(r"^cr-[0-9a-z]+$"), instanceMatchCriteria=one_of("open", "targeted"), ownerID=text(r"^[0-9]{12}$"), tags=_TAGS),
        maxItems=30,
    ),
    placementGroupSelector=record(id=text(r"^pg-[0-9a-z]+$"), name=NAME),
    role=NAME,
    instanceProfile=NAME,
    associatePublicIPAddress=FLAG,
    blockDeviceMappings=list_of(
        record(
            deviceName=TEXT,
            rootVolume=FLAG,
            ebs=record(
                deleteOnTermination=FLAG,
                encrypted=FLAG,
                iops=NUMBER,
                kmsKeyID=TEXT,
                snapshotID=TEXT,
                throughput=NUMBER,
                volumeInitializationRate={"type": "integer", "minimum": 100, "maximum": 300},
                volumeSize=text(r"^[1-9][0-9]{0,4}(G|Gi|T|Ti)$"),
                volumeType=one_of("standard", "io1", "io2", "gp2", "sc1", "st1", "gp3"),
            ),
        ),
        maxItems=50,
    ),
    connectionTracking=record(
        tcpEstablishedTimeout={"type": "integer", "minimum": 60, "maximum": 432000},
        udpStreamTimeout={"type": "integer", "minimum": 60, "maximum": 180},
        udpTimeout={"type": "integer", "minimum": 30, "maximum": 60},
    ),
    context=TEXT,
    cpuOptions=record(nestedVirtualization=one_of("enabled", "disabled")),
    detailedMonitoring=FLAG,
    instanceStorePolicy=one_of("RAID0"),
    ipPrefixCount=COUNT,
    kubelet=OPEN,
    metadataOptions=record(
        httpEndpoint=one_of("enabled", "disabled"),
        httpProtocolIPv6=one_of("enabled", "disabled"),
        httpPutResponseHopLimit={"type": "integer", "minimum": 1, "maximum": 64},
        httpTokens=one_of("required", "optional"),
    ),
    networkInterfaces=list_of(
        record(
            ("deviceIndex", "interfaceType", "networkCardIndex"),
            deviceIndex=COUNT,
            interfaceType=one_of("interface", "efa-only"),
            networkCardIndex=COUNT,
        ),
        maxItems=150,
    ),
    tags=map_of(TEXT),
    userData=TEXT,
)

SCHEMAS: dict[tuple[str, str], Schema] = {
    ("karpenter.sh/v1", "NodePool"): resource(_NODE_POOL),
    ("karpenter.sh/v1", "NodeClaim"): resource(
        record(("nodeClassRef", "requirements"), **_NODE_CLAIM, resources=record(requests=map_of(QUANTITY)))
    ),
    ("karpenter.k8s.aws/v1", "EC2NodeClass"): resource(_EC2_NODE_CLASS),
    ("eks.amazonaws.com/v1", "NodeClass"): resource(OPEN),
}

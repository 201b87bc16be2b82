# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas of Prometheus Operator's resources that a release brings, ``monitoring.coreos.com/v1``, as of v0.93.

Written from the published definitions (``example/prometheus-operator-crd`` of prometheus-operator/prometheus-operator). Left open:
``status``.
"""

from __future__ import annotations

from .parts import COUNT, FLAG, INT_OR_TEXT, NAME, NUMBER, TEXT, Schema, list_of, map_of, one_of, record, resource, text

_DURATION = text(r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$")
_KEY = record(("key",), key=TEXT, name=TEXT, optional=FLAG)
_EITHER = record(configMap=_KEY, secret=_KEY)
_SELECTOR = record(
    matchLabels=map_of(TEXT),
    matchExpressions=list_of(record(("key", "operator"), key=TEXT, operator=TEXT, values=list_of(TEXT))),
)
_TLS: dict[str, Schema] = {
    "ca": _EITHER,
    "cert": _EITHER,
    "insecureSkipVerify": FLAG,
    "keySecret": _KEY,
    "minVersion": one_of("TLS10", "TLS11", "TLS12", "TLS13"),
    "maxVersion": one_of("TLS10", "TLS11", "TLS12", "TLS13"),
    "serverName": TEXT,
}
# A ServiceMonitor alone may name files of the Prometheus that scrapes.
_TLS_OF_FILES = record((), **_TLS, caFile=TEXT, certFile=TEXT, keyFile=TEXT)
_PROXY = {
    "noProxy": TEXT,
    "proxyConnectHeader": map_of(list_of(_KEY)),
    "proxyFromEnvironment": FLAG,
    "proxyUrl": text(r"^(http|https|socks5)://.+$"),
}
_ACTIONS = ("replace", "keep", "drop", "hashmod", "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase", "keepequal", "dropequal")
_CAPITALS = ("Replace", "Keep", "Drop", "HashMod", "LabelMap", "LabelDrop", "LabelKeep", "Lowercase", "Uppercase", "KeepEqual", "DropEqual")
_RELABELINGS = list_of(
    record(
        action=one_of(*_ACTIONS, *_CAPITALS),
        modulus=COUNT,
        regex=TEXT,
        replacement=TEXT,
        separator=TEXT,
        sourceLabels=list_of(TEXT),
        targetLabel=TEXT,
    )
)
_ENDPOINT: dict[str, Schema] = {
    "authorization": record(credentials=_KEY, type=TEXT),
    "basicAuth": record(username=_KEY, password=_KEY),
    "bearerTokenSecret": _KEY,
    "enableHttp2": FLAG,
    "filterRunning": FLAG,
    "followRedirects": FLAG,
    "honorLabels": FLAG,
    "honorTimestamps": FLAG,
    "interval": _DURATION,
    "metricRelabelings": _RELABELINGS,
    "oauth2": record(
        ("clientId", "clientSecret", "tokenUrl"),
        clientId=_EITHER,
        clientSecret=_KEY,
        endpointParams=map_of(TEXT),
        scopes=list_of(TEXT),
        tlsConfig=record((), **_TLS),
        tokenUrl=text(r"^(http|https)://.+$"),
        **_PROXY,
    ),
    "params": map_of(list_of(TEXT)),
    "path": TEXT,
    "port": TEXT,
    "relabelings": _RELABELINGS,
    "scheme": one_of("http", "https", "HTTP", "HTTPS"),
    "scrapeTimeout": _DURATION,
    "targetPort": INT_OR_TEXT,
    "tlsConfig": record((), **_TLS),
    "trackTimestampsStaleness": FLAG,
    **_PROXY,
}
_PROTOCOLS = ("PrometheusProto", "OpenMetricsText0.0.1", "OpenMetricsText1.0.0", "PrometheusText0.0.4", "PrometheusText1.0.0")
_MONITOR: dict[str, Schema] = {
    "attachMetadata": record(node=FLAG),
    "bodySizeLimit": text(r"(^0|([0-9]*[.])?[0-9]+((K|M|G|T|E|P)i?)?B)$"),
    "convertClassicHistogramsToNHCB": FLAG,
    "fallbackScrapeProtocol": one_of(*_PROTOCOLS),
    "jobLabel": TEXT,
    "keepDroppedTargets": COUNT,
    "labelLimit": COUNT,
    "labelNameLengthLimit": COUNT,
    "labelValueLengthLimit": COUNT,
    "namespaceSelector": record(any=FLAG, matchNames=list_of(TEXT)),
    "nativeHistogramBucketLimit": COUNT,
    "nativeHistogramMinBucketFactor": INT_OR_TEXT,
    "podTargetLabels": list_of(TEXT),
    "sampleLimit": COUNT,
    "scrapeClass": NAME,
    "scrapeClassicHistograms": FLAG,
    "scrapeNativeHistograms": FLAG,
    "scrapeProtocols": list_of(one_of(*_PROTOCOLS)),
    "selector": _SELECTOR,
    "selectorMechanism": one_of("RelabelConfig", "RoleSelector"),
    "targetLimit": COUNT,
}
_SERVICE_MONITOR = record(
    ("endpoints", "selector"),
    endpoints=list_of(record((), **{**_ENDPOINT, "tlsConfig": _TLS_OF_FILES}, bearerTokenFile=TEXT)),
    serviceDiscoveryRole=one_of("Endpoints", "EndpointSlice"),
    targetLabels=list_of(TEXT),
    **_MONITOR,
)
_POD_MONITOR = record(
    ("selector",),
    podMetricsEndpoints=list_of(record((), **_ENDPOINT, portNumber={"type": "integer", "minimum": 1, "maximum": 65535})),
    **_MONITOR,
)
_RULE = record(
    ("expr",),
    alert=TEXT,
    annotations=map_of(TEXT),
    expr=INT_OR_TEXT,
    keep_firing_for={**_DURATION, "minLength": 1},
    labels=map_of(TEXT),
    record=TEXT,
    **{"for": _DURATION},
)
_PROMETHEUS_RULE = record(
    groups=list_of(
        record(
            ("name",),
            name=NAME,
            interval=_DURATION,
            labels=map_of(TEXT),
            limit=NUMBER,
            partial_response_strategy=text(r"^([aA][bB][oO][rR][tT]|[wW][aA][rR][nN])?$"),
            query_offset=_DURATION,
            rules=list_of(_RULE),
        )
    ),
)

SCHEMAS: dict[tuple[str, str], Schema] = {
    ("monitoring.coreos.com/v1", "ServiceMonitor"): resource(_SERVICE_MONITOR),
    ("monitoring.coreos.com/v1", "PodMonitor"): resource(_POD_MONITOR),
    ("monitoring.coreos.com/v1", "PrometheusRule"): resource(_PROMETHEUS_RULE),
}

# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom resources of which operators may make pods and Services that are not rendered."""

from __future__ import annotations

from collections.abc import Iterable

from ..manifests.objects import Object
from ..manifests.schema import built_in

# Groups, and kinds of groups, that nothing is made of that a selector could select. Of all others we do not know.
_WITHOUT_PODS = frozenset(
    {
        *("keda.sh", "http.keda.sh", "eventing.keda.sh", "autoscaling.k8s.io", "karpenter.sh", "karpenter.k8s.aws"),
        *("eks.amazonaws.com", "elbv2.k8s.aws", "vpcresources.k8s.aws", "networking.gke.io", "cloud.google.com"),
        *("cert-manager.io", "trust.cert-manager.io", "external-secrets.io", "generators.external-secrets.io", "bitnami.com"),
        *("secrets.hashicorp.com", "secrets-store.csi.x-k8s.io", "snapshot.storage.k8s.io", "externaldns.k8s.io"),
        *("policy.networking.k8s.io", "cilium.io", "crd.projectcalico.org", "projectcalico.org"),
        *("networking.istio.io", "security.istio.io", "telemetry.istio.io", "policy.linkerd.io", "linkerd.io"),
        *("traefik.io", "traefik.containo.us", "route.openshift.io", "security.openshift.io"),
        *("kyverno.io", "constraints.gatekeeper.sh", "templates.gatekeeper.sh", "monitoring.googleapis.com"),
        # Of a Gateway controllers in the cluster make pods and a Service (https://gateway-api.sigs.k8s.io/geps/gep-1762/).
        *(f"gateway.networking.k8s.io/{kind}Route" for kind in ("HTTP", "GRPC", "TCP", "TLS", "UDP")),
        *(f"gateway.networking.k8s.io/{kind}" for kind in ("GatewayClass", "ListenerSet", "ReferenceGrant", "BackendTLSPolicy")),
        *(f"monitoring.coreos.com/{kind}" for kind in ("ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe")),
        *(f"monitoring.coreos.com/{kind}" for kind in ("ScrapeConfig", "AlertmanagerConfig")),
        *(f"grafana.integreatly.org/Grafana{kind}" for kind in ("AlertRuleGroup", "ContactPoint", "Dashboard", "Datasource", "Folder")),
        *(f"argoproj.io/{kind}" for kind in ("Application", "ApplicationSet", "AppProject")),
        *(f"kafka.strimzi.io/{kind}" for kind in ("KafkaTopic", "KafkaUser", "KafkaConnector", "KafkaRebalance")),
        "opentelemetry.io/Instrumentation",
    }
)


def operated_kinds(objects: Iterable[Object]) -> tuple[str, ...]:
    """The kinds among the objects of which an operator may make pods or Services, such as ``kafka.strimzi.io/v1beta2 Kafka``."""
    custom = (one for one in objects if not built_in(one.group))
    return tuple(
        sorted({f"{one.api_version} {one.kind}" for one in custom if _WITHOUT_PODS.isdisjoint((one.group, f"{one.group}/{one.kind}"))})
    )

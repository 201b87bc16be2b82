{{/*
A ScaledObject for one Deployment. Takes (dict "root" $ "component" NAME "autoscaling" VALUES "triggers" YAML).
KEDA's own cooldownPeriod only counts on the way to 0 replicas; on the way to anything above, the HPA's stabilisation window is what waits.
pollingInterval counts because the triggers read cached metrics.
*/}}
{{- define "hypergraph.scaledObject" -}}
{{- $name := printf "%s-%s" (include "hypergraph.fullname" .root) .component -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "hypergraph.labels" . | nindent 4 }}
  annotations:
    argocd.argoproj.io/sync-wave: "1"
    argocd.argoproj.io/sync-options: SkipDryRunOnMissingResource=true
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ $name }}
  minReplicaCount: {{ .autoscaling.minReplicas }}
  maxReplicaCount: {{ .autoscaling.maxReplicas }}
  pollingInterval: {{ .autoscaling.pollingInterval }}
  {{- if eq (int .autoscaling.minReplicas) 0 }}
  cooldownPeriod: {{ .autoscaling.cooldownPeriod }}
  {{- end }}
  fallback:
    failureThreshold: 3
    replicas: {{ .autoscaling.fallbackReplicas }}
    behavior: currentReplicasIfHigher
  advanced:
    restoreToOriginalReplicaCount: false
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp:
          stabilizationWindowSeconds: 0
          selectPolicy: Max
          policies:
            - type: Percent
              value: 100
              periodSeconds: 30
            - type: Pods
              value: 2
              periodSeconds: 30
        scaleDown:
          stabilizationWindowSeconds: {{ .autoscaling.cooldownPeriod }}
          selectPolicy: Min
          policies:
            - type: Percent
              value: 25
              periodSeconds: 60
            - type: Pods
              value: 2
              periodSeconds: 60
  triggers:
    {{- .triggers | nindent 4 }}
{{- end -}}

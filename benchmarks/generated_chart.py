"""A chart of any size, as a platform team would write it: one template a kind, every service with all that it needs to be fit to serve."""

from __future__ import annotations

from pathlib import Path

# What each service is made of, with a ScaledObject for the even and a HorizontalPodAutoscaler for the odd ones.
OBJECTS_PER_SERVICE = 8

_HELPERS = """\
{{- define "name" -}}{{ printf "%s-%04d" .root.Release.Name .number }}{{- end -}}
{{- define "selectorLabels" -}}
app.kubernetes.io/name: {{ include "name" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}
{{- define "metadata" -}}
metadata:
  name: {{ include "name" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "selectorLabels" . | nindent 4 }}
    app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}
"""
_EACH = """\
{{- range $number := until (int .Values.services) }}
{{- $service := dict "root" $ "number" $number }}
"""
_BODIES = {
    "deployment": """
apiVersion: apps/v1
kind: Deployment
{{ include "metadata" $service }}
spec:
  revisionHistoryLimit: 5
  progressDeadlineSeconds: 600
  selector:
    matchLabels:
      {{- include "selectorLabels" $service | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "selectorLabels" $service | nindent 8 }}
    spec:
      serviceAccountName: {{ include "name" $service }}
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 45
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: server
          image: {{ $.Values.image }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          envFrom:
            - configMapRef:
                name: {{ include "name" $service }}
          env:
            - name: NUMBER
              value: {{ $number | quote }}
          ports:
            - name: http
              containerPort: 8080
              protocol: TCP
          readinessProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 5
            failureThreshold: 3
          livenessProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 15
            failureThreshold: 4
          lifecycle:
            preStop:
              exec:
                command: [sleep, "5"]
          resources:
            requests:
              cpu: 250m
              memory: 256Mi
            limits:
              memory: 256Mi
          volumeMounts:
            - name: scratch
              mountPath: /tmp
      volumes:
        - name: scratch
          emptyDir:
            sizeLimit: 64Mi
""",
    "service": """
apiVersion: v1
kind: Service
{{ include "metadata" $service }}
spec:
  selector:
    {{- include "selectorLabels" $service | nindent 4 }}
  ports:
    - name: http
      port: 80
      targetPort: http
      protocol: TCP
""",
    "serviceaccount": """
apiVersion: v1
kind: ServiceAccount
{{ include "metadata" $service }}
automountServiceAccountToken: false
""",
    "configmap": """
apiVersion: v1
kind: ConfigMap
{{ include "metadata" $service }}
data:
  LOG_LEVEL: info
  UPSTREAM: http://{{ include "name" $service }}.{{ $.Release.Namespace }}.svc
""",
    "poddisruptionbudget": """
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "metadata" $service }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "selectorLabels" $service | nindent 6 }}
""",
    "networkpolicy": """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "metadata" $service }}
spec:
  podSelector:
    matchLabels:
      {{- include "selectorLabels" $service | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - namespaceSelector: {}
      ports:
        - port: 8080
          protocol: TCP
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
      ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
""",
    "servicemonitor": """
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
{{ include "metadata" $service }}
spec:
  selector:
    matchLabels:
      {{- include "selectorLabels" $service | nindent 6 }}
  endpoints:
    - port: http
      path: /metrics
      interval: 30s
""",
    "autoscaler": """
{{- if mod $number 2 }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
{{ include "metadata" $service }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "name" $service }}
  minReplicas: 2
  maxReplicas: 10
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 70
{{- else }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
{{ include "metadata" $service }}
spec:
  scaleTargetRef:
    name: {{ include "name" $service }}
  minReplicaCount: 2
  maxReplicaCount: 10
  triggers:
    - type: prometheus
      metricType: Value
      metadata:
        serverAddress: http://prometheus.monitoring.svc:9090
        query: max(queue_lag_seconds{job="{{ include "name" $service }}"})
        threshold: "5"
        ignoreNullValues: "false"
{{- end }}
""",
}


def write_chart(directory: Path, objects: int) -> int:
    """Write a chart that renders about so many objects, and as many as are returned: whole services of OBJECTS_PER_SERVICE each."""
    services = max(1, objects // OBJECTS_PER_SERVICE)
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: generated\nversion: 1.0.{services}\n",
        "values.yaml": f"services: {services}\nimage: registry.example.org/server:1.0.0\n",
        "templates/_helpers.tpl": _HELPERS,
        **{f"templates/{name}.yaml": f"{_EACH}---{body}{{{{- end }}}}\n" for name, body in _BODIES.items()},
    }
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    return services * OBJECTS_PER_SERVICE

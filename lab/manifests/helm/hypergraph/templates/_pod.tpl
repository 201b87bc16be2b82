{{/* What every pod has in common: nobody's rights, no token of the API server, no variables for each service there is. */}}
{{- define "hypergraph.podDefaults" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What every container has in common. */}}
{{- define "hypergraph.containerDefaults" -}}
image: {{ include "hypergraph.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop:
      - ALL
envFrom:
  - configMapRef:
      name: {{ include "hypergraph.fullname" . }}-config
{{- end -}}

{{/* Variables out of the Secret. Takes (dict "root" $ "keys" (list ...)). */}}
{{- define "hypergraph.secretVariables" -}}
{{- $keys := .keys -}}
{{- if .root.Values.secret.awsKeys -}}
{{- $keys = concat $keys (list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY") -}}
{{- end -}}
{{- range $position, $key := $keys -}}
{{- if $position }}{{ "\n" }}{{ end -}}
- name: {{ $key }}
  valueFrom:
    secretKeyRef:
      name: {{ $.root.Values.secret.name }}
      key: {{ $key }}
{{- end -}}
{{- end -}}

{{/*
Startup, readiness and liveness: startSeconds to start in, out of service after 15 s, restarted after a minute.
Takes (dict "port" NAME "startSeconds" NUMBER).
*/}}
{{- define "hypergraph.probes" -}}
startupProbe:
  httpGet:
    path: /healthz
    port: {{ .port }}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: {{ div .startSeconds 2 }}
readinessProbe:
  httpGet:
    path: /healthz
    port: {{ .port }}
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 3
livenessProbe:
  httpGet:
    path: /healthz
    port: {{ .port }}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
{{- end -}}

{{/* Spread over zones and nodes, each revision for itself. Takes (dict "root" $ "component" NAME). */}}
{{- define "hypergraph.spread" -}}
- topologyKey: topology.kubernetes.io/zone
  maxSkew: 1
  whenUnsatisfiable: {{ .root.Values.topologySpread.whenUnsatisfiable }}
  nodeTaintsPolicy: Honor
  labelSelector:
    matchLabels:
      {{- include "hypergraph.selectorLabels" . | nindent 6 }}
  matchLabelKeys:
    - pod-template-hash
- topologyKey: kubernetes.io/hostname
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  nodeTaintsPolicy: Honor
  labelSelector:
    matchLabels:
      {{- include "hypergraph.selectorLabels" . | nindent 6 }}
  matchLabelKeys:
    - pod-template-hash
{{- end -}}

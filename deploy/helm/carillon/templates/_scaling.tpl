{{/* How many there are, how many may be away, and who looks at them. */}}

{{/* Takes (dict "root" "name" "object" "namespace" ["labels" further labels of the pods]). */}}
{{- define "carillon.disruptionBudget" -}}
{{- if .root.Values.podDisruptionBudgets.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .object }}
  namespace: {{ .namespace }}
  labels:
    {{- include "carillon.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .root.Values.podDisruptionBudgets.maxUnavailable }}
  # A pod that takes no work protects nobody.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "carillon.selector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Takes (dict "root" "name" "object" "kind" "namespace" "values"). */}}
{{- define "carillon.autoscaler" -}}
{{- $it := . -}}
{{- $auto := .values.autoscaling -}}
{{- if $auto.enabled }}
---
{{- if .root.Values.keda.enabled }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ .object }}
  namespace: {{ .namespace }}
  labels:
    {{- include "carillon.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: {{ .kind }}
    name: {{ .object }}
  minReplicaCount: {{ $auto.minReplicas }}
  maxReplicaCount: {{ $auto.maxReplicas }}
  # When the figures cannot be had, as many as there are stay.
  fallback:
    failureThreshold: 4
    replicas: {{ $auto.maxReplicas }}
    behavior: currentReplicasIfHigher
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- include "carillon.scalingBehaviour" $auto | nindent 8 }}
  triggers:
    {{- if $auto.cpu }}
    - type: cpu
      metricType: Utilization
      metadata:
        value: {{ $auto.cpu | quote }}
    {{- end }}
    {{- range $auto.metrics }}
    - type: prometheus
      metricType: AverageValue
      metadata:
        serverAddress: {{ $it.root.Values.keda.prometheus | quote }}
        query: {{ printf "sum(%s{namespace=%q,pod=~\"%s-.*\"})" .name $it.namespace $it.object | quote }}
        threshold: {{ .averageValue | quote }}
    {{- end }}
{{- else }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .object }}
  namespace: {{ .namespace }}
  labels:
    {{- include "carillon.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: {{ .kind }}
    name: {{ .object }}
  minReplicas: {{ $auto.minReplicas }}
  maxReplicas: {{ $auto.maxReplicas }}
  behavior:
    {{- include "carillon.scalingBehaviour" $auto | nindent 4 }}
  metrics:
    {{- if $auto.cpu }}
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ $auto.cpu }}}
    {{- end }}
    {{- range $auto.metrics }}
    - type: Pods
      pods:
        metric: {name: {{ .name }}}
        target: {type: AverageValue, averageValue: {{ .averageValue | quote }}}
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Up at once, down slowly: calls come in waves, and whoever leaves must drain. */}}
{{- define "carillon.scalingBehaviour" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies:
    - {type: Percent, value: 100, periodSeconds: 30}
scaleDown:
  stabilizationWindowSeconds: {{ .scaleDownSeconds }}
  policies:
    - {type: Pods, value: 1, periodSeconds: 60}
{{- end -}}

{{/* Takes (dict "root" "name" "object" "namespace"). */}}
{{- define "carillon.serviceMonitor" -}}
{{- if .root.Values.monitoring.serviceMonitors.enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ .object }}
  namespace: {{ .namespace }}
  labels:
    {{- include "carillon.labels" . | nindent 4 }}
    {{- with .root.Values.monitoring.serviceMonitors.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: app.kubernetes.io/component
  selector:
    matchLabels:
      {{- include "carillon.selector" . | nindent 6 }}
  endpoints:
    - port: metrics
      path: /metrics
      interval: {{ .root.Values.monitoring.serviceMonitors.interval }}
{{- end }}
{{- end -}}

{{/* What every pod has, whatever it runs. */}}

{{/* The profile `restricted` of the pod security standards, for every pod without exception. */}}
{{- define "carillon.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "carillon.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Takes (dict "root" $ "name" "acd" "values" …): who runs it, and where it may. */}}
{{- define "carillon.podBasics" -}}
serviceAccountName: {{ include "carillon.fullname" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "carillon.podSecurity" . | nindent 2 }}
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Takes (dict "root" $ "name" "acd" "values" …): replicas on different nodes and in different zones. */}}
{{- define "carillon.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: {{ .values.zoneSpread }}
    labelSelector:
      matchLabels:
        {{- include "carillon.selector" . | nindent 8 }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "carillon.selector" . | nindent 14 }}
{{- end -}}

{{/* Takes (dict "port" "metrics" "patience" 3): `/healthz` is alive, `/readyz` takes work. */}}
{{- define "carillon.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ .port }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: {{ .port }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: {{ .patience }}
readinessProbe:
  httpGet: {path: /readyz, port: {{ .port }}}
  periodSeconds: 3
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}

{{/* Pods begin anew when what they read at their start has changed. */}}
{{- define "carillon.podAnnotations" -}}
checksum/settings: {{ include "carillon.settings" .root | sha256sum }}
checksum/secrets: {{ include "carillon.ownSecrets" .root | sha256sum }}
{{- with .root.Values.commonAnnotations }}
{{ toYaml . }}
{{- end }}
{{- with .values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Takes (dict "from" {CARILLON_…: value}): further variables, as text. */}}
{{- define "carillon.moreEnvironment" -}}
{{- range $key, $value := .from }}
- name: {{ $key }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

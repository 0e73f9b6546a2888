{{/* Who speaks with whom. */}}

{{/* This release's own pods, and the nodes of gateways in host network. */}}
{{- define "carillon.insiders" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ .Chart.Name }}
      app.kubernetes.io/instance: {{ .Release.Name }}
{{- range .Values.networkPolicies.nodeNetworks }}
- ipBlock: {cidr: {{ . }}}
{{- end }}
{{- end -}}

{{/* Takes (dict "port" 5432 "to" […]). */}}
{{- define "carillon.egressTo" -}}
- ports:
    - {port: {{ .port }}, protocol: TCP}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The port of an http or https URL. */}}
{{- define "carillon.urlPort" -}}
{{- $host := (urlParse .).host -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" -}}
{{- default (hasPrefix "https" . | ternary "443" "80") $port -}}
{{- end -}}

{{/* The brokers' ports, with commas. */}}
{{- define "carillon.kafkaPorts" -}}
{{- $ports := list -}}
{{- range .Values.kafka.brokers -}}
{{- $ports = append $ports (regexFind "[0-9]+$" .) -}}
{{- end -}}
{{- $ports | uniq | join "," -}}
{{- end -}}

{{/* Each edge by a name of its own, as JSON: as many as there may be. */}}
{{- define "carillon.edges" -}}
{{- $edge := .Values.edge -}}
{{- $names := list -}}
{{- if $edge.enabled -}}
{{- $full := printf "%s-edge" (include "carillon.fullname" .) -}}
{{- range $index := until (int ($edge.autoscaling.enabled | ternary $edge.autoscaling.maxReplicas $edge.replicas)) -}}
{{- $names = append $names (printf "dns:///%s-%d.%s-headless.%s.svc:%d" $full $index $full (include "carillon.edgeNamespace" $) (int $edge.grpcPort)) -}}
{{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

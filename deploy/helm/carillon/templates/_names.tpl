{{/* What things are called, and the labels by which they are found. */}}

{{- define "carillon.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Where gateways and an edge in host network live: pods there may use their node's network. */}}
{{- define "carillon.mediaNamespace" -}}
{{- default (printf "%s-media" .Release.Namespace) .Values.media.namespace.name -}}
{{- end -}}

{{- define "carillon.gatewayNamespace" -}}
{{- eq .Values.gateway.network "host" | ternary (include "carillon.mediaNamespace" .) .Release.Namespace -}}
{{- end -}}

{{- define "carillon.edgeNamespace" -}}
{{- eq .Values.edge.network "host" | ternary (include "carillon.mediaNamespace" .) .Release.Namespace -}}
{{- end -}}

{{/* Every namespace that pods of this release live in, with commas. */}}
{{- define "carillon.namespaces" -}}
{{- $all := list .Release.Namespace (include "carillon.gatewayNamespace" .) -}}
{{- if .Values.edge.enabled -}}
{{- $all = append $all (include "carillon.edgeNamespace" .) -}}
{{- end -}}
{{- $all | uniq | join "," -}}
{{- end -}}

{{/* Takes (dict "root" $ "name" "acd"). These never change, because selectors cannot. */}}
{{- define "carillon.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- define "carillon.labels" -}}
{{ include "carillon.selector" . }}
app.kubernetes.io/part-of: carillon
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Takes (dict "root" $ "kind" "services"): a digest wins over a tag. */}}
{{- define "carillon.image" -}}
{{- $image := index .root.Values.images .kind -}}
{{- $where := printf "%s/%s" .root.Values.images.registry $image.repository | trimPrefix "/" -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $where $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $where (default .root.Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Takes (dict "root" $ "group" "database"): the Secret that a group of secrets is in. */}}
{{- define "carillon.secret" -}}
{{- $group := index .root.Values .group -}}
{{- default (printf "%s-%s" (include "carillon.fullname" .root) (kebabcase .group)) $group.existingSecret -}}
{{- end -}}

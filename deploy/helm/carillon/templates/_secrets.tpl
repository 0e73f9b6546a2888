{{/* Secrets that the values carry, for groups without a Secret of the operator's own. */}}

{{/* Takes root: every group with its data, as YAML of {group: {key: value}}. */}}
{{- define "carillon.ownSecrets" -}}
{{- $groups := dict -}}
{{- if not .Values.database.existingSecret -}}
{{- $data := merge (dict "admin-url" .Values.database.adminUrl) .Values.database.passwords -}}
{{- $_ := set $groups "database" $data -}}
{{- end -}}
{{- if and (not .Values.kafka.existingSecret) (eq "true" (include "carillon.kafkaLogsIn" .)) -}}
{{- $_ := set $groups "kafka" (dict "username" .Values.kafka.username "password" .Values.kafka.password) -}}
{{- end -}}
{{- if not .Values.s3.existingSecret -}}
{{- $_ := set $groups "s3" (dict "access-key" .Values.s3.accessKey "secret-key" .Values.s3.secretKey) -}}
{{- end -}}
{{- if not .Values.recordingKeys.existingSecret -}}
{{- $_ := set $groups "recordingKeys" (dict "keys" .Values.recordingKeys.keys) -}}
{{- end -}}
{{- if not .Values.portal.existingSecret -}}
{{- $_ := set $groups "portal" (dict "bootstrap-password" .Values.portal.bootstrapPassword) -}}
{{- end -}}
{{- if and (eq "true" (include "carillon.relays" .)) (not .Values.turn.existingSecret) -}}
{{- $_ := set $groups "turn" (dict "secret" .Values.turn.secret) -}}
{{- end -}}
{{- if and .Values.gateway.outboundUser (not .Values.gateway.existingSecret) -}}
{{- $_ := set $groups "gateway" (dict "outbound-password" .Values.gateway.outboundPassword) -}}
{{- end -}}
{{- toYaml $groups -}}
{{- end -}}

{{/* Takes (dict "root" $ "name" "acd" "role" "acd"): volumes of the secrets that this pod may read. */}}
{{- define "carillon.secretVolumes" -}}
{{- $root := .root -}}
{{- with .role }}
- name: database
  secret:
    secretName: {{ include "carillon.secret" (dict "root" $root "group" "database") }}
    defaultMode: 0440
    items:
      - {key: {{ . }}, path: {{ . }}}
{{- end }}
{{- if and .role $root.Values.database.caSecret }}
- name: database-ca
  secret:
    secretName: {{ $root.Values.database.caSecret }}
    defaultMode: 0440
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- if or (eq "true" (include "carillon.kafkaLogsIn" $root)) $root.Values.kafka.caInSecret $root.Values.kafka.certInSecret }}
- name: kafka
  secret:
    secretName: {{ include "carillon.secret" (dict "root" $root "group" "kafka") }}
    defaultMode: 0440
{{- end }}
- name: s3
  secret:
    secretName: {{ include "carillon.secret" (dict "root" $root "group" "s3") }}
    defaultMode: 0440
{{- if not $root.Values.tls.insecure }}
- name: tls
  secret:
    secretName: {{ include "carillon.tlsSecret" . }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "carillon.secretMounts" -}}
{{- $root := .root -}}
{{- if .role }}
- {name: database, mountPath: /etc/carillon/database, readOnly: true}
{{- end }}
{{- if and .role $root.Values.database.caSecret }}
- {name: database-ca, mountPath: /etc/carillon/database-ca, readOnly: true}
{{- end }}
{{- if or (eq "true" (include "carillon.kafkaLogsIn" $root)) $root.Values.kafka.caInSecret $root.Values.kafka.certInSecret }}
- {name: kafka, mountPath: /etc/carillon/kafka, readOnly: true}
{{- end }}
- {name: s3, mountPath: /etc/carillon/s3, readOnly: true}
{{- if not $root.Values.tls.insecure }}
- {name: tls, mountPath: /etc/carillon/tls, readOnly: true}
{{- end }}
{{- end -}}

{{/* The Secret with a component's certificate: cert-manager makes one for each. */}}
{{- define "carillon.tlsSecret" -}}
{{- if .root.Values.tls.certManager.enabled -}}
{{- printf "%s-%s-tls" (include "carillon.fullname" .root) .name -}}
{{- else -}}
{{- .root.Values.tls.existingSecret -}}
{{- end -}}
{{- end -}}

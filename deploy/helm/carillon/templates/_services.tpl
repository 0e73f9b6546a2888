{{/* The little that one service has and others have not. */}}

{{- define "carillon.serviceEnvironment" -}}
{{- $values := .root.Values -}}
{{- if eq .name "recording" }}
- name: CARILLON_RECORDING_KEY_FILE
  value: /etc/carillon/recording/keys
{{- end }}
{{- if eq .name "portal" }}
- name: CARILLON_PORTAL_BIND
  value: "0.0.0.0"
- name: CARILLON_PORTAL_HTTP_PORT
  value: {{ $values.portal.httpPort | quote }}
- name: CARILLON_PORTAL_GRPC_PORT
  value: {{ $values.portal.grpcPort | quote }}
{{- with $values.portal.trustedProxies }}
- name: CARILLON_PORTAL_TRUSTED_PROXIES
  value: {{ . | quote }}
{{- end }}
{{- with $values.turn.urls }}
- name: CARILLON_PORTAL_ICE_URLS
  value: {{ . | join "," | quote }}
- name: CARILLON_PORTAL_ICE_LIFETIME_S
  value: {{ $values.turn.lifetimeSeconds | quote }}
- name: CARILLON_PORTAL_ICE_RELAY_ONLY
  value: {{ $values.turn.relayOnly | quote }}
{{- end }}
{{- if eq "true" (include "carillon.relays" .root) }}
- name: CARILLON_PORTAL_ICE_SECRET_FILE
  value: /etc/carillon/turn/secret
{{- end }}
- name: CARILLON_PORTAL_BOOTSTRAP_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "carillon.secret" (dict "root" .root "group" "portal") }}
      key: bootstrap-password
{{- end }}
{{- end -}}

{{- define "carillon.serviceMounts" -}}
{{- if eq .name "recording" }}
- {name: recording-keys, mountPath: /etc/carillon/recording, readOnly: true}
{{- end }}
{{- if and (eq .name "portal") (eq "true" (include "carillon.relays" .root)) }}
- {name: turn, mountPath: /etc/carillon/turn, readOnly: true}
{{- end }}
{{- end -}}

{{- define "carillon.serviceVolumes" -}}
{{- if eq .name "recording" }}
- name: recording-keys
  secret:
    secretName: {{ include "carillon.secret" (dict "root" .root "group" "recordingKeys") }}
    defaultMode: 0440
    items:
      - {key: keys, path: keys}
{{- end }}
{{- if and (eq .name "portal") (eq "true" (include "carillon.relays" .root)) }}
- name: turn
  secret:
    secretName: {{ include "carillon.secret" (dict "root" .root "group" "turn") }}
    defaultMode: 0440
    items:
      - {key: secret, path: secret}
{{- end }}
{{- end -}}

{{/* Whether browsers are told a TURN server, which relays for nobody whom it does not know. */}}
{{- define "carillon.relays" -}}
{{- contains ",turn" (printf ",%s" (.Values.turn.urls | join ",")) -}}
{{- end -}}

{{/* What processes are told by their environment: every name here is a setting of the code. */}}

{{/* The settings that all of them share: the ConfigMap's data. */}}
{{- define "carillon.settings" -}}
CARILLON_WORLD: {{ .Values.world | quote }}
CARILLON_LOG_LEVEL: {{ .Values.telemetry.logLevel | quote }}
CARILLON_LOG_JSON: "true"
CARILLON_VAR_DIR: /var/lib/carillon
CARILLON_RUN_DIR: /run/carillon
CARILLON_METRICS_HOST: "0.0.0.0"
{{- with .Values.telemetry.otlpEndpoint }}
CARILLON_OTLP_ENDPOINT: {{ . | quote }}
{{- end }}
CARILLON_PEERS: {{ printf "dns:///%s-{name}-headless.%s.svc:%d" (include "carillon.fullname" .) .Release.Namespace (int .Values.serviceDefaults.grpcPort) | quote }}
CARILLON_PEERS_GATEWAY: {{ printf "dns:///%s-gateway-0.%s.svc:%d" (include "carillon.fullname" .) (include "carillon.gatewayNamespace" .) (int .Values.gateway.grpcPort) | quote }}
CARILLON_KAFKA_BROKERS: {{ .Values.kafka.brokers | join "," | quote }}
CARILLON_KAFKA_SECURITY: {{ .Values.kafka.security | quote }}
{{- with .Values.kafka.prefix }}
CARILLON_KAFKA_PREFIX: {{ . | quote }}
{{- end }}
CARILLON_KAFKA_REPLICATION: {{ .Values.kafka.replication | quote }}
CARILLON_KAFKA_MIN_IN_SYNC: {{ .Values.kafka.minInSync | quote }}
CARILLON_KAFKA_RETENTION_HOURS: {{ .Values.kafka.retentionHours | quote }}
{{- if .Values.kafka.caInSecret }}
CARILLON_KAFKA_CA: /etc/carillon/kafka/ca.crt
{{- end }}
{{- if .Values.kafka.certInSecret }}
CARILLON_KAFKA_CERT: /etc/carillon/kafka/tls.crt
CARILLON_KAFKA_KEY: /etc/carillon/kafka/tls.key
{{- end }}
CARILLON_S3_ENDPOINT: {{ .Values.s3.endpoint | quote }}
CARILLON_S3_REGION: {{ .Values.s3.region | quote }}
CARILLON_S3_BUCKET: {{ .Values.s3.bucket | quote }}
CARILLON_S3_PATH_STYLE: {{ .Values.s3.pathStyle | quote }}
CARILLON_S3_WORM: {{ .Values.s3.worm | quote }}
{{- if .Values.s3.worm }}
CARILLON_S3_RETENTION_DAYS: {{ .Values.s3.retentionDays | quote }}
{{- end }}
{{- if .Values.s3.caInSecret }}
CARILLON_S3_CA: /etc/carillon/s3/ca.crt
{{- end }}
{{- if .Values.s3.keysInSecret }}
CARILLON_S3_KEY_FILE: /etc/carillon/s3/keys
{{- end }}
{{- if .Values.tls.insecure }}
CARILLON_INSECURE: "1"
{{- else }}
CARILLON_TLS_DOMAIN: {{ .Values.tls.domain | quote }}
CARILLON_TLS_CA: /etc/carillon/tls/ca.crt
CARILLON_TLS_CERT: /etc/carillon/tls/tls.crt
CARILLON_TLS_KEY: /etc/carillon/tls/tls.key
{{- end }}
{{- end -}}

{{/* Where this pod is, which it hears from Kubernetes. Takes (dict "port" 7000 "metrics" 9464). */}}
{{- define "carillon.placeEnvironment" -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: CARILLON_LISTEN
  value: "0.0.0.0:{{ .port }}"
- name: CARILLON_ADVERTISED
  value: "$(POD_IP):{{ .port }}"
- name: CARILLON_METRICS_PORT
  value: {{ .metrics | quote }}
{{- end -}}

{{/* Takes (dict "root" $ "name" "acd" "role" "acd"): secrets come as files, never as values. */}}
{{- define "carillon.secretEnvironment" -}}
{{- $role := .role -}}
{{- if $role }}
- name: CARILLON_DATABASE_URL
  value: {{ include "carillon.databaseUrl" .root | quote }}
- name: CARILLON_DATABASE_PASSWORD_FILE
  value: /etc/carillon/database/{{ $role }}
- name: CARILLON_DATABASE_POOL
  value: {{ .root.Values.database.poolSize | quote }}
{{- end }}
{{- if eq "true" (include "carillon.kafkaLogsIn" .root) }}
- name: CARILLON_KAFKA_USER
  valueFrom:
    secretKeyRef:
      name: {{ include "carillon.secret" (dict "root" .root "group" "kafka") }}
      key: username
- name: CARILLON_KAFKA_PASSWORD_FILE
  value: /etc/carillon/kafka/password
{{- end }}
- name: CARILLON_S3_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "carillon.secret" (dict "root" .root "group" "s3") }}
      key: access-key
- name: CARILLON_S3_SECRET_KEY_FILE
  value: /etc/carillon/s3/secret-key
{{- end -}}

{{/* Whether brokers are told a user: with `plaintext` and `ssl` they are not. */}}
{{- define "carillon.kafkaLogsIn" -}}
{{- not (has .Values.kafka.security (list "plaintext" "ssl")) -}}
{{- end -}}

{{/* Without a user: each service logs in as its own role. */}}
{{- define "carillon.databaseUrl" -}}
{{- $database := .Values.database -}}
{{- printf "postgresql://%s:%d/%s?sslmode=%s" $database.host (int $database.port) $database.name $database.sslmode -}}
{{- if $database.caSecret -}}
&sslrootcert=/etc/carillon/database-ca/ca.crt
{{- end -}}
{{- end -}}

{{/*
What no secret may be: the services refuse the same at their start (services/chassis/settings.py).
Takes (dict "value" "…"): why it is none, or nothing.
*/}}
{{- define "carillon.whyNoSecret" -}}
{{- $value := .value | toString -}}
{{- $lowered := lower $value -}}
{{- $known := list "administrator" "carillon-secret" "kafka-password" "minio123minio123" "minioadmin" "minioadminminioadmin" "mysecretpassword" "passwordpassword" "postgrespassword" "secretpassword" "supersecretpassword" "test-password" "password" "postgres" "carillon" "secret" "admin" -}}
{{- $words := list "changeme" "change-me" "change_me" "example" "default" "placeholder" -}}
{{- $everybodys := has $lowered $known -}}
{{- range $words -}}
{{- if contains . $lowered -}}{{- $everybodys = true -}}{{- end -}}
{{- end -}}
{{- if $everybodys -}}
is a default that everybody knows: make one of your own (openssl rand -base64 24)
{{- else if or (lt (len $value) 12) (lt (len (uniq (splitList "" $value))) 4) -}}
is too short for a secret: at least 12 random characters (openssl rand -base64 24)
{{- end -}}
{{- end -}}

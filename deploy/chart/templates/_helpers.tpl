{{- define "dhmc.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Room is left for the suffixes of pods. */}}
{{- define "dhmc.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "dhmc.selectorLabels" -}}
app.kubernetes.io/name: {{ include "dhmc.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dhmc.labels" -}}
{{ include "dhmc.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The head of every object. Takes `namespace` where it is not the release's. */}}
{{- define "dhmc.metadata" -}}
name: {{ include "dhmc.fullname" . }}
namespace: {{ default .Release.Namespace .namespace }}
labels:
  {{- include "dhmc.labels" . | nindent 2 }}
{{- end }}

{{- define "dhmc.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "dhmc.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "dhmc.lease" -}}
{{- default (include "dhmc.fullname" .) .Values.leaderElection.resourceName }}
{{- end }}

{{/* Takes `image`, and the tag where there is none. */}}
{{- define "dhmc.image" -}}
{{- .image.repository }}{{ if .image.digest }}@{{ .image.digest }}{{ else }}:{{ default .version .image.tag }}{{ end }}
{{- end }}

{{- define "dhmc.ownConfigMap" -}}
{{- if or .Values.desiredState .Values.desiredStates }}yes{{ end }}
{{- end }}

{{- define "dhmc.configMap" -}}
{{- default (include "dhmc.fullname" .) .Values.existingConfigMap }}
{{- end }}

{{/* A document as a mapping, or as text. */}}
{{- define "dhmc.document" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* What the schema of the values cannot say in words that help. */}}
{{- define "dhmc.check" -}}
{{- $sources := list }}
{{- range $name := list "desiredState" "desiredStates" "existingConfigMap" }}
{{- if get $.Values $name }}{{ $sources = append $sources $name }}{{ end }}
{{- end }}
{{- if .Values.gitSync.enabled }}{{ $sources = append $sources "gitSync.enabled" }}{{ end }}
{{- if not $sources }}
{{- fail "There is no desired state. Set one of desiredState, desiredStates, existingConfigMap and gitSync.enabled; for a file: --set-file desiredState=dhmc.yaml" }}
{{- end }}
{{- if gt (len $sources) 1 }}
{{- fail (printf "There is more than one desired state: %s. Keep one of them." (join ", " $sources)) }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail (printf "replicas is %d, and leaderElection.enabled is false: they would all write. Set replicas: 1, or leaderElection.enabled: true." (int .Values.replicas)) }}
{{- end }}
{{- with .Values.gitSync }}
{{- if .enabled }}
{{- if not .repo }}{{ fail "gitSync.enabled is true without gitSync.repo: say where the repository is." }}{{ end }}
{{- if not .path }}{{ fail "gitSync.enabled is true without gitSync.path: say where in the repository the desired state is." }}{{ end }}
{{- if and .username (not .existingSecret) }}{{ fail "gitSync.username is set without gitSync.existingSecret, which has the password." }}{{ end }}
{{- if and .existingSecret (hasPrefix "https://" .repo) (not .username) }}
{{- fail "gitSync.existingSecret is set without gitSync.username: signing in over HTTPS needs both." }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

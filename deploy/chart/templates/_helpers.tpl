{{- define "dhmc.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Of the 63 characters that a pod's name may have, 17 are left for the hash of its ReplicaSet and its own ending. A Service's name has no dots. */}}
{{- define "dhmc.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if not (contains $name .Release.Name) }}{{ $name = printf "%s-%s" .Release.Name $name }}{{ else }}{{ $name = .Release.Name }}{{ end }}
{{- default $name .Values.fullnameOverride | replace "." "-" | trunc 46 | trimSuffix "-" }}
{{- end }}

{{- define "dhmc.selectorLabels" -}}
{{- toYaml (dict "app.kubernetes.io/name" (include "dhmc.name" .) "app.kubernetes.io/instance" .Release.Name) }}
{{- end }}

{{/* Labels of the pods. No versions: a new chart alone is no reason to restart. */}}
{{- define "dhmc.podLabels" -}}
{{- $given := merge dict (default dict .Values.podLabels) (default dict .Values.commonLabels) }}
{{- toYaml (mergeOverwrite $given (fromYaml (include "dhmc.selectorLabels" .))) }}
{{- end }}

{{/* Annotations of the pods. EKS gives git-sync no credentials of AWS, nor whom else is named. */}}
{{- define "dhmc.podAnnotations" -}}
{{- $all := merge dict (default dict .Values.podAnnotations) (dict "kubectl.kubernetes.io/default-container" "controller") }}
{{- if .Values.gitSync.enabled }}
{{- $skipped := "eks.amazonaws.com/skip-containers" }}
{{- $_ := set $all $skipped (list "git-sync" (get $all $skipped) | compact | join ",") }}
{{- end }}
{{- toYaml $all }}
{{- end }}

{{/*
The head of every object. Takes the chart's scope as `root` and, where they are not the usual ones, `name`, `namespace` and `labels` besides.
Each key comes once, and what the chart selects by is its own.
*/}}
{{- define "dhmc.metadata" -}}
{{- $own := fromYaml (include "dhmc.selectorLabels" .root) }}
{{- $_ := set $own "app.kubernetes.io/version" .root.Chart.AppVersion }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_")) }}
{{- $labels := merge $own (default dict .labels) (default dict .root.Values.commonLabels) }}
{{- $name := default (include "dhmc.fullname" .root) .name -}}
name: {{ $name | quote }}
namespace: {{ default .root.Release.Namespace .namespace | quote }}
labels:
  {{- toYaml $labels | nindent 2 }}
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

{{- define "dhmc.gitSyncMetrics" -}}
{{- and .Values.gitSync.enabled (default false .Values.gitSync.metrics) }}
{{- end }}

{{- define "dhmc.ownConfigMap" -}}
{{- if or .Values.desiredState .Values.desiredStates }}yes{{ end }}
{{- end }}

{{- define "dhmc.configMap" -}}
{{- default (include "dhmc.fullname" .) .Values.existingConfigMap }}
{{- end }}

{{/* Without a leader, two at a time would both write. */}}
{{- define "dhmc.strategyType" -}}
{{- dig "type" (ternary "RollingUpdate" "Recreate" .Values.leaderElection.enabled) (default dict .Values.strategy) }}
{{- end }}

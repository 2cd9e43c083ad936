{{/* The Lease that is agreed by: its namespace and name. Without leader election, nothing. */}}
{{- define "dhmc.wantedLease" -}}
{{- with .Values.leaderElection }}
{{- if .enabled }}{{ default $.Release.Namespace .resourceNamespace }}/{{ include "dhmc.lease" $ }}{{ end }}
{{- end }}
{{- end }}

{{/* The same of a Deployment that there is. Takes it as `deployment`, and its `namespace`. */}}
{{- define "dhmc.runningLease" -}}
{{- $namespace := .namespace }}
{{- $name := "" }}
{{- range .deployment.spec.template.spec.containers }}
{{- range .args }}
{{- if hasPrefix "--leader-elect-resource-name=" . }}{{ $name = trimPrefix "--leader-elect-resource-name=" . }}{{ end }}
{{- if hasPrefix "--leader-elect-resource-namespace=" . }}{{ $namespace = trimPrefix "--leader-elect-resource-namespace=" . }}{{ end }}
{{- end }}
{{- end }}
{{- with $name }}{{ $namespace }}/{{ . }}{{ end }}
{{- end }}

{{/*
Replicas that start beside others know of them by their Lease alone. Where Helm sees the cluster, an upgrade after which two would write is refused;
`helm template`, and with it Argo CD, sees none.
*/}}
{{- define "dhmc.checkUpgrade" -}}
{{- $wanted := include "dhmc.wantedLease" . }}
{{- $ends := eq (include "dhmc.strategyType" .) "Recreate" }}
{{- range (lookup "apps/v1" "Deployment" .Release.Namespace "").items }}
{{- $labels := default dict .metadata.labels }}
{{- $chart := regexMatch (printf "^%s-[0-9]+[.]" $.Chart.Name) (default "" (get $labels "helm.sh/chart")) }}
{{- if and $chart (eq (default "" (get $labels "app.kubernetes.io/instance")) $.Release.Name) }}
{{- $running := include "dhmc.runningLease" (dict "deployment" . "namespace" $.Release.Namespace) }}
{{- $shared := and $wanted (eq $wanted $running) }}
{{- $stays := eq .metadata.name (include "dhmc.fullname" $) }}
{{- if and (int $.Values.replicas) (int .spec.replicas) (not (or $shared (and $stays $ends))) }}
{{- $scale := printf "kubectl --namespace %s scale deployment %s --replicas 0" $.Release.Namespace .metadata.name }}
{{- fail (printf "What runs as %s has %s, what would start beside it has %s: both would write. End it first: %s (README.md of the chart, under Replicas)" .metadata.name (default "no Lease" $running) (default "none" $wanted) $scale) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

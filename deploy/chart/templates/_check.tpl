{{/* What the schema of the values cannot say, or not in words that help. Every template asks first, as Helm renders them in any order. */}}
{{- define "dhmc.check" -}}
{{- include "dhmc.checkNothingLacks" . }}
{{- include "dhmc.checkNames" . }}
{{- include "dhmc.checkDesiredState" . }}
{{- include "dhmc.checkReplicas" . }}
{{- include "dhmc.checkTimes" . }}
{{- include "dhmc.checkExtras" . }}
{{- if .Values.gitSync.enabled }}{{ include "dhmc.checkGitSync" . }}{{ end }}
{{- end }}

{{/* `key:` with nothing behind it takes a default away. What can do without is not here. */}}
{{- define "dhmc.checkNothingLacks" -}}
{{- range list
  "image.repository" "image.pullPolicy"
  "gitSync.enabled" "gitSync.ref" "gitSync.period" "gitSync.volumeSize"
  "gitSync.image.repository" "gitSync.image.tag" "gitSync.image.pullPolicy"
  "controller.interval" "controller.organizationInterval" "controller.workers" "controller.rivalCorrections" "controller.rivalWindow"
  "controller.targetMetrics" "controller.awsRps" "controller.listenAddress" "controller.log.format" "controller.log.level"
  "replicas" "leaderElection.enabled" "leaderElection.leaseDuration" "leaderElection.renewDeadline" "leaderElection.retryPeriod"
  "serviceAccount.create" "service.port" "serviceMonitor.enabled" "prometheusRule.enabled"
  "podDisruptionBudget.enabled" "podDisruptionBudget.maxUnavailable"
  "networkPolicy.enabled" "networkPolicy.egress.apiServer.ports" "networkPolicy.egress.git.ports"
  "terminationGracePeriodSeconds" "revisionHistoryLimit"
}}
{{- $value := $.Values }}
{{- range splitList "." . }}{{ $value = get (default dict $value) . }}{{ end }}
{{- if has (toString $value) (list "" "<nil>") }}{{ fail (printf "%s is empty. Leave it out, and it has its default; where it is left out, and a release is upgraded with the values of an older chart: --reset-then-reuse-values instead of --reuse-values." .) }}{{ end }}
{{- end }}
{{- end }}

{{- define "dhmc.checkNames" -}}
{{- $name := include "dhmc.fullname" . }}
{{- if not (regexMatch "^[a-z]" $name) }}
{{- fail (printf "The name %s does not begin with a letter, as that of a Service has to. Set fullnameOverride." $name) }}
{{- end }}
{{- with .Values.serviceAccount }}
{{- if and .annotations (not .create) }}
{{- fail "serviceAccount.annotations are set, and serviceAccount.create is false: whoever makes it has to annotate it. Take them out." }}
{{- end }}
{{- end }}
{{- end }}

{{- define "dhmc.checkDesiredState" -}}
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
{{- if kindIs "string" .Values.desiredState }}
{{- include "dhmc.checkText" (dict "text" .Values.desiredState "name" "desiredState" "set" "desiredState") }}
{{- end }}
{{- range $file, $document := .Values.desiredStates }}
{{- if kindIs "string" $document }}
{{- include "dhmc.checkText" (dict "text" $document "name" (printf "desiredStates, %s," $file) "set" (printf "'desiredStates.%s'" (replace "." "\\." $file))) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A file's name instead of its text is easily given. Nothing of the text is repeated: it may hold an external id. */}}
{{- define "dhmc.checkText" -}}
{{- if and .text (ne (toString (get (fromYaml .text) "kind")) "HostManagement") }}
{{- fail (printf "%s is no document of kind HostManagement. From a file: --set-file %s=FILE" .name .set) }}
{{- end }}
{{- end }}

{{- define "dhmc.checkReplicas" -}}
{{- if and (dig "rollingUpdate" "" (default dict .Values.strategy)) (ne (include "dhmc.strategyType" .) "RollingUpdate") }}
{{- fail "strategy.rollingUpdate is set, and the strategy is Recreate. Take it out." }}
{{- end }}
{{- if not .Values.leaderElection.enabled }}
{{- if gt (int .Values.replicas) 1 }}
{{- fail (printf "replicas is %d, and leaderElection.enabled is false: they would all write. Set replicas: 1, or leaderElection.enabled: true." (int .Values.replicas)) }}
{{- end }}
{{- if ne (include "dhmc.strategyType" .) "Recreate" }}
{{- fail "strategy.type is RollingUpdate, and leaderElection.enabled is false: during an update, two would write. Leave strategy out." }}
{{- end }}
{{- end }}
{{- end }}

{{/* Milliseconds of a duration such as 1m30s. */}}
{{- define "dhmc.milliseconds" -}}
{{- $sum := 0 }}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 }}
{{- range regexFindAll "[0-9]+[a-z]+" . -1 }}
{{- $sum = add $sum (mul (regexFind "[0-9]+" . | atoi) (get $units (regexFind "[a-z]+" .))) }}
{{- end }}
{{- $sum }}
{{- end }}

{{/* Otherwise the controller would not start; git-sync would, and ask whoever has the repository without a pause. */}}
{{- define "dhmc.checkTimes" -}}
{{- $times := dict }}
{{- range list "interval" "organizationInterval" "rivalWindow" }}{{ $_ := set $times (printf "controller.%s" .) (get $.Values.controller .) }}{{ end }}
{{- if .Values.gitSync.enabled }}{{ $_ := set $times "gitSync.period" .Values.gitSync.period }}{{ end }}
{{- if .Values.leaderElection.enabled }}
{{- range list "leaseDuration" "renewDeadline" "retryPeriod" }}{{ $_ := set $times (printf "leaderElection.%s" .) (get $.Values.leaderElection .) }}{{ end }}
{{- end }}
{{- range $name, $time := $times }}
{{- $milliseconds := include "dhmc.milliseconds" $time | int64 }}
{{- if or (lt $milliseconds 1000) (gt $milliseconds 86400000) }}{{ fail (printf "%s is %s: it has to be between 1s and 24h." $name $time) }}{{ end }}
{{- end }}
{{- if .Values.leaderElection.enabled }}{{ include "dhmc.checkLeaseTimes" . }}{{ end }}
{{- end }}

{{- define "dhmc.checkLeaseTimes" -}}
{{- $lease := include "dhmc.milliseconds" .Values.leaderElection.leaseDuration | int64 }}
{{- $renew := include "dhmc.milliseconds" .Values.leaderElection.renewDeadline | int64 }}
{{- $retry := include "dhmc.milliseconds" .Values.leaderElection.retryPeriod | int64 }}
{{- if mod $lease 1000 }}{{ fail "leaderElection.leaseDuration is not in whole seconds, as a Lease writes it." }}{{ end }}
{{- if gt (add $renew 1000) $lease }}
{{- fail "leaderElection.renewDeadline has to be at least a second shorter than leaderElection.leaseDuration: between the two, the last write arrives." }}
{{- end }}
{{- if gt (mul $retry 3) $renew }}
{{- fail "leaderElection.retryPeriod has to be a third of leaderElection.renewDeadline at most, so that a failed renewal loses nothing." }}
{{- end }}
{{- end }}

{{/* A flag that comes twice ends the controller, and a variable is not read where there is a flag. */}}
{{- define "dhmc.checkExtras" -}}
{{- $set := "^--(config|listen|interval|organization-interval|workers|rival-corrections|rival-window|target-metrics|aws-rps|instance|log-format|log-level|leader-elect(-[a-z]+)*)(=|$)" }}
{{- range .Values.extraArgs }}
{{- $flag := regexFind "^--[a-z-]+" . }}
{{- if regexMatch $set . }}{{ fail (printf "extraArgs has %s, which the chart sets: there is a value for it." $flag) }}{{ end }}
{{- if eq $flag "--once" }}{{ fail "extraArgs has --once: the pod would end, and be started again, without end." }}{{ end }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if hasPrefix "DHMC_" (toString .name) }}
{{- fail (printf "extraEnv has %s: the variables of the controller are set by values of the chart, or as flags in extraArgs." .name) }}
{{- end }}
{{- end }}
{{- $set = "^--?(repo|ref|root|link|period|max-failures|http-bind|http-metrics|username|password(-file)?|ssh-key-file|ssh-known-hosts-file)(=|$)" }}
{{- range .Values.gitSync.extraArgs }}
{{- if regexMatch $set . }}{{ fail (printf "gitSync.extraArgs has %s, which the chart sets: by a value of gitSync, or as it has to be." (regexFind "^--?[a-z-]+" .)) }}{{ end }}
{{- end }}
{{- end }}

{{- define "dhmc.checkGitSync" -}}
{{- with .Values.gitSync }}
{{- if not .repo }}{{ fail "gitSync.enabled is true without gitSync.repo: say where the repository is." }}{{ end }}
{{- if not .path }}{{ fail "gitSync.enabled is true without gitSync.path: say where in the repository the desired state is." }}{{ end }}
{{- /* What is in it is not repeated. */}}
{{- if regexMatch "^(https://[^/]*|ssh://[^/@]*:[^/]*)@" .repo }}
{{- fail "gitSync.repo has a user or a password in it, which whoever sees the pod could read. Put them into gitSync.username and gitSync.existingSecret." }}
{{- end }}
{{- $https := hasPrefix "https://" .repo }}
{{- if and .username (not .existingSecret) }}{{ fail "gitSync.username is set without gitSync.existingSecret, which has the password." }}{{ end }}
{{- if and .existingSecret $https (not .username) }}
{{- fail "gitSync.existingSecret is set without gitSync.username: signing in over HTTPS needs both." }}
{{- end }}
{{- if not (or .existingSecret $https) }}
{{- fail "gitSync.repo is reached over SSH, without gitSync.existingSecret, which has the key and the known hosts." }}
{{- end }}
{{- if and .username (not $https) }}
{{- fail "gitSync.username is set, and gitSync.repo is reached over SSH, where the user is part of the address. Take it out." }}
{{- end }}
{{- end }}
{{- end }}

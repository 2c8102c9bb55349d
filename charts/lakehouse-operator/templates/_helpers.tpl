{{- define "lakehouse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "lakehouse.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "lakehouse.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "lakehouse.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "lakehouse.selector" -}}
app.kubernetes.io/name: {{ include "lakehouse.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lakehouse.labels" -}}
{{ include "lakehouse.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "lakehouse.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "lakehouse.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name must name the account to use, because serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* An image reference from repository, tag and digest. Call with (list $ .Values.image). */}}
{{- define "lakehouse.image" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository (default $root.Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- /* The settings document, as the operator reads it. */}}
{{- define "lakehouse.settings" -}}
{{- $_ := required "settings.lake.uri must say where the tables lie, such as s3://my-lake/warehouse" .Values.settings.lake.uri }}
{{- $image := default (include "lakehouse.image" (list . .Values.sparkImage)) .Values.settings.spark.image }}
{{- $settings := deepCopy .Values.settings }}
{{- $_ := set $settings "spark" (set $settings.spark "image" $image) }}
{{- toYaml $settings }}
{{- end }}

{{- /* The namespaces that get the accounts of driver and executor Pods, as a JSON list. */}}
{{- define "lakehouse.sparkNamespaces" -}}
{{- include "lakehouse.tenants" (list . .Values.sparkAccounts.namespaces) }}
{{- end }}

{{- /* The namespaces of settings.tenancy that are no patterns, and more, as a JSON list. Call with (list $ more). */}}
{{- define "lakehouse.tenants" -}}
{{- $names := index . 1 }}
{{- range (index . 0).Values.settings.tenancy }}
{{- if not (regexMatch "[*?\\[]" .namespace) }}
{{- $names = append $names .namespace }}
{{- end }}
{{- end }}
{{- $names | uniq | toJson }}
{{- end }}

{{- define "lakehouse.driverAccount" -}}
{{- default "lakehouse-spark-driver" .Values.settings.spark.driverServiceAccount }}
{{- end }}

{{- define "lakehouse.executorAccount" -}}
{{- default "lakehouse-spark-executor" .Values.settings.spark.executorServiceAccount }}
{{- end }}

{{- /* What the operator may do where its resources are: exactly the calls it makes. */}}
{{- define "lakehouse.rules" -}}
- apiGroups: [lakehouse.dev]
  resources: [ingestpipelines, datacontracts]
  verbs: [get, list, watch]
- apiGroups: [lakehouse.dev]
  resources: [ingestpipelines/status, datacontracts/status]
  verbs: [patch]
# Where OwnerReferencesPermissionEnforcement is on, this right is wanted to make them the blocking owner of a Pod.
- apiGroups: [lakehouse.dev]
  resources: [ingestpipelines/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, create, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "lakehouse.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "lakehouse.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end }}

{{- /* The arguments of the operator and of the command that releases its drivers. Call with (list $ identity). */}}
{{- define "lakehouse.arguments" -}}
{{- $root := index . 0 -}}
- --settings=/etc/lakehouse/settings.yaml
- --namespaces={{ $root.Values.watchNamespaces | join "," | default "*" }}
- --identity={{ index . 1 }}
- --lease-name={{ include "lakehouse.fullname" $root }}
- --lease-namespace={{ $root.Release.Namespace }}
- --port={{ $root.Values.port }}
- --log-level={{ $root.Values.logLevel }}
{{- end }}

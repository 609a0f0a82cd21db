import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import * as core from './shapes/core.ts'
import { shapeOfSchema } from './shapes/custom.ts'
import { pod } from './shapes/pod.ts'
import * as rules from './shapes/rules.ts'
import type { Shape } from './shapes/shape.ts'
import * as workloads from './shapes/workloads.ts'

export { asHeld } from './shapes/held.ts'
export type { Shape } from './shapes/shape.ts'

/** How the objects of a kind merge: one table for strategic merge patches and for appliers. */
const builtIn: Readonly<Record<string, Shape>> = {
  'v1 ConfigMap': core.configMap,
  'v1 Endpoints': core.endpoints,
  'v1 Event': core.event,
  'v1 LimitRange': core.limitRange,
  'v1 Namespace': core.namespace,
  'v1 Node': core.node,
  'v1 PersistentVolumeClaim': core.persistentVolumeClaim,
  'v1 Pod': pod,
  'v1 ResourceQuota': core.resourceQuota,
  'v1 Secret': core.secret,
  'v1 Service': core.service,
  'v1 ServiceAccount': core.serviceAccount,
  'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration': rules.webhookConfiguration,
  'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy': rules.validatingAdmissionPolicy,
  'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding':
    rules.validatingAdmissionPolicyBinding,
  'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration': rules.webhookConfiguration,
  'apiextensions.k8s.io/v1 CustomResourceDefinition': rules.customResourceDefinition,
  'apps/v1 ControllerRevision': workloads.controllerRevision,
  'apps/v1 DaemonSet': workloads.daemonSet,
  'apps/v1 Deployment': workloads.deployment,
  'apps/v1 ReplicaSet': workloads.replicaSet,
  'apps/v1 StatefulSet': workloads.statefulSet,
  'autoscaling/v1 Scale': workloads.scale,
  'autoscaling/v2 HorizontalPodAutoscaler': workloads.horizontalPodAutoscaler,
  'batch/v1 CronJob': workloads.cronJob,
  'batch/v1 Job': workloads.job,
  'coordination.k8s.io/v1 Lease': core.lease,
  'discovery.k8s.io/v1 EndpointSlice': core.endpointSlice,
  'events.k8s.io/v1 Event': core.newEvent,
  'policy/v1 PodDisruptionBudget': workloads.podDisruptionBudget,
  'rbac.authorization.k8s.io/v1 ClusterRole': rules.clusterRole,
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': rules.binding,
  'rbac.authorization.k8s.io/v1 Role': rules.role,
  'rbac.authorization.k8s.io/v1 RoleBinding': rules.binding,
  'scheduling.k8s.io/v1 PriorityClass': core.priorityClass,
}

/** The shape of a built-in kind; undefined for every other one. */
export function shapeOfKind(apiVersion: string, kind: string): Shape | undefined {
  const name = `${apiVersion} ${kind}`
  return Object.hasOwn(builtIn, name) ? builtIn[name] : undefined
}

/** `[apiVersion, kind]` of everything in the table. */
export function shapedKinds(): readonly (readonly [string, string])[] {
  return Object.keys(builtIn).map((name) => {
    const [apiVersion = '', kind = ''] = name.split(' ')
    return [apiVersion, kind]
  })
}

/** The shape of one version of a custom kind, from its CustomResourceDefinition. */
export function shapeOfCustomKind(definition: KubeObject, version: string): Shape {
  const versions = isRecord(definition.spec) ? definition.spec.versions : undefined
  const found = Array.isArray(versions)
    ? versions.find((one) => isRecord(one) && one.name === version)
    : undefined
  const schema =
    isRecord(found) && isRecord(found.schema) ? found.schema.openAPIV3Schema : undefined
  return shapeOfSchema(schema)
}

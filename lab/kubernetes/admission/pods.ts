import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { forbidden, type Status } from '../status.ts'
import type { AdmissionRequest } from './request.ts'

type Json = Readonly<Record<string, unknown>>

/** What the API server fills in for a new Pod, or why there is none. */
export type Prepared = { readonly pod: KubeObject } | { readonly refusal: Status }

const builtIn: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

/** Looked up for a new Pod. */
export interface PodSurroundings {
  readonly serviceAccounts: readonly KubeObject[]
  readonly priorityClasses: readonly KubeObject[]
}

/** A new Pod with its service account, its priority and how long it stays on a node that is lost. */
export function preparePod(request: AdmissionRequest, around: PodSurroundings): Prepared {
  const { object, resource, name } = request
  if (object === null) throw new TypeError('a Pod that is made has an object')
  const refuse = (why: string) => ({
    refusal: forbidden(resource, name || (object.metadata.name ?? ''), why),
  })
  const spec = isRecord(object.spec) ? object.spec : {}
  const account = textOf(spec.serviceAccountName) || textOf(spec.serviceAccount) || 'default'
  const { namespace } = request
  const found = around.serviceAccounts.find(
    ({ metadata }) => metadata.name === account && metadata.namespace === namespace,
  )
  if (found === undefined) {
    return refuse(
      `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
    )
  }
  const priority = priorityOf(spec, around.priorityClasses)
  if ('why' in priority) return refuse(priority.why)
  const secrets = spec.imagePullSecrets ?? found.imagePullSecrets
  const filled = {
    ...spec,
    ...{ serviceAccountName: account, serviceAccount: account },
    ...(secrets !== undefined && { imagePullSecrets: secrets }),
    ...priority.fields,
    tolerations: tolerationsOf(spec),
  }
  return { pod: { ...object, spec: filled } }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function priorityOf(
  spec: Json,
  classes: readonly KubeObject[],
): { readonly fields: Json } | { readonly why: string } {
  const asked = textOf(spec.priorityClassName)
  const found = classes.find((one) =>
    asked === '' ? one.globalDefault === true : one.metadata.name === asked,
  )
  const value = builtIn[asked] ?? (typeof found?.value === 'number' ? found.value : undefined)
  if (asked !== '' && value === undefined) {
    return { why: `no PriorityClass with name ${asked} was found` }
  }
  const priority = value ?? 0
  if (typeof spec.priority === 'number' && spec.priority !== priority) {
    return {
      why: `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
    }
  }
  const name = asked || (found?.metadata.name ?? '')
  const preemptionPolicy = textOf(found?.preemptionPolicy) || 'PreemptLowerPriority'
  return { fields: { ...(name !== '' && { priorityClassName: name }), priority, preemptionPolicy } }
}

const lostNodes = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

function tolerationsOf({ tolerations }: Json): readonly unknown[] {
  const written: readonly unknown[] = Array.isArray(tolerations) ? tolerations : []
  const tolerates = (key: string) =>
    written.filter(isRecord).some((one) => {
      const about = one.key === key || textOf(one.key) === ''
      return about && (textOf(one.effect) === '' || one.effect === 'NoExecute')
    })
  const added = lostNodes
    .filter((key) => !tolerates(key))
    .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }))
  return [...written, ...added]
}

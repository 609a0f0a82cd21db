import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { at, conditionOf, listAt, numberAt, textAt } from '../kubernetes/resources/columns.ts'
import type { Workload } from '../world/manifests.ts'
import type { Check } from './incident.ts'
import type { Observed } from './observed.ts'

const restartedAt = 'kubectl.kubernetes.io/restartedAt'

const placeOf = ({ namespace, name }: Workload) => `${namespace}/${name}`

/** Its Pods, those that are going away left out. */
function podsOf(seen: Observed, { namespace, name }: Workload): readonly KubeObject[] {
  return seen
    .list('Pod', namespace)
    .filter(
      ({ metadata }) =>
        metadata.labels?.['app.kubernetes.io/name'] === name &&
        metadata.deletionTimestamp === undefined,
    )
}

function deploymentOf(seen: Observed, workload: Workload): KubeObject | string {
  return seen.get('Deployment', placeOf(workload)) ?? `there is no Deployment ${placeOf(workload)}`
}

/** A check that looks at one Deployment. */
function ofDeployment(
  workload: Workload,
  look: (found: KubeObject, seen: Observed) => string | undefined,
): Check {
  return (seen) => {
    const found = deploymentOf(seen, workload)
    return typeof found === 'string' ? found : look(found, seen)
  }
}

/** Every replica of the newest template is available, and no other Pod is left. */
export function available(workload: Workload, replicas = workload.replicas): Check {
  return ofDeployment(workload, (found) => {
    const { generation = 0 } = found.metadata
    const place = placeOf(workload)
    if (numberAt(found, 'status.observedGeneration') < generation) return `${place} is not settled`
    const counts = ['replicas', 'updatedReplicas', 'availableReplicas'].map((name) =>
      numberAt(found, `status.${name}`),
    )
    if (counts.every((one) => one === replicas)) return undefined
    const [all, updated, ready] = counts
    return `${place} has ${ready} of ${replicas} replicas available, ${updated} of the newest revision among ${all}`
  })
}

/** Asked for, whether they are there or not. */
export function wants(workload: Workload, replicas = workload.replicas): Check {
  return ofDeployment(workload, (found) => {
    const number = numberAt(found, 'spec.replicas', 1)
    return number === replicas
      ? undefined
      : `${placeOf(workload)} is set to ${number} replicas instead of ${replicas}`
  })
}

/** What the container of the template says of something includes what the world says. */
export function unchanged(
  workload: Workload,
  path: 'image' | 'resources' | 'env' | 'readinessProbe',
): Check {
  return ofDeployment(workload, (found) => {
    const [container] = listAt(found, 'spec.template.spec.containers')
    const [now, then] = [at(container, path), workload.container[path]]
    if (includes(now, then)) return undefined
    const words = [now, then].map((one) => JSON.stringify(one))
    return `${placeOf(workload)} has ${path} ${words[0]} instead of ${words[1]}`
  })
}

/** Defaults that the API server gives are no difference. */
function includes(now: unknown, then: unknown): boolean {
  if (Array.isArray(then)) {
    const items: readonly unknown[] = Array.isArray(now) ? now : []
    return items.length === then.length && then.every((one, i) => includes(items[i], one))
  }
  if (!isRecord(then)) return now === then
  return isRecord(now) && Object.entries(then).every(([key, one]) => includes(now[key], one))
}

/** Nobody restarted every Pod of it. */
export function notRestarted(workload: Workload): Check {
  return ofDeployment(workload, (found) => {
    const annotations = Object(Object(found.spec).template?.metadata).annotations
    return annotations?.[restartedAt] === undefined
      ? undefined
      : `every Pod of ${placeOf(workload)} was restarted, which ends nothing`
  })
}

/** Some Pod's container says this word, waiting or where it ended last. */
export function says(workload: Workload, ...reasons: readonly string[]): Check {
  return (seen) => {
    const words = podsOf(seen, workload).flatMap((pod) =>
      listAt(pod, 'status.containerStatuses').flatMap((status) => [
        textAt(status, 'state.waiting.reason'),
        textAt(status, 'lastState.terminated.reason'),
      ]),
    )
    if (words.some((word) => reasons.includes(word))) return undefined
    return `no Pod of ${placeOf(workload)} says ${reasons.join(' or ')}`
  }
}

/** The scheduler finds no node for some Pod of it. */
export function unschedulable(workload: Workload): Check {
  return (seen) => {
    const waits = podsOf(seen, workload).some(
      (pod) => textAt(conditionOf(pod, 'PodScheduled'), 'reason') === 'Unschedulable',
    )
    return waits ? undefined : `every Pod of ${placeOf(workload)} has its node`
  }
}

/** What a condition of a Deployment gives as its reason. */
export function condition(workload: Workload, type: string, reason: string): Check {
  return ofDeployment(workload, (found) => {
    const word = textAt(conditionOf(found, type), 'reason', 'nothing')
    return word === reason
      ? undefined
      : `${placeOf(workload)} says ${word} of ${type}, not ${reason}`
  })
}

/** All checks together: the first that does not hold. */
export function all(...checks: readonly Check[]): Check {
  return (seen) => {
    for (const check of checks) {
      const word = check(seen)
      if (word !== undefined) return word
    }
    return undefined
  }
}

export function notCordoned(node: string): Check {
  return (seen) => {
    const found = seen.get('Node', node)
    if (found === undefined) return `there is no node ${node}`
    return at(found, 'spec.unschedulable') === true ? `node ${node} is cordoned` : undefined
  }
}

/** How many endpoints of the Service of a workload take traffic. */
export function readyEndpoints({ namespace, name }: Workload, count: number): Check {
  return (seen) => {
    const ready = seen
      .list('EndpointSlice', namespace)
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
      .flatMap((slice) => listAt(slice, 'endpoints'))
      .filter((one) => at(one, 'conditions.ready') === true)
    if (ready.length === count) return undefined
    return `Service ${namespace}/${name} has ${ready.length} ready endpoints, not ${count}`
  }
}

interface Bounds {
  readonly minReplicas: number
  readonly maxReplicas: number
}

/** Between how many replicas the autoscaler of a workload may choose. */
export function bounds(workload: Workload, { minReplicas, maxReplicas }: Bounds): Check {
  return (seen) => {
    const found = seen.get('HorizontalPodAutoscaler', placeOf(workload))
    const [min, max] = [numberAt(found, 'spec.minReplicas', 1), numberAt(found, 'spec.maxReplicas')]
    if (min === minReplicas && max === maxReplicas) return undefined
    return `the autoscaler of ${placeOf(workload)} chooses from ${min} to ${max}, not from ${minReplicas} to ${maxReplicas}`
  }
}

/** Whether the autoscaler of a workload is at its limit and wants more. */
export function atLimit(workload: Workload, replicas: number): Check {
  return (seen) => {
    const found = seen.get('HorizontalPodAutoscaler', placeOf(workload))
    const reason = textAt(conditionOf(found, 'ScalingLimited'), 'reason', 'nothing')
    const current = numberAt(found, 'status.currentReplicas')
    // measured with the Pods there are now, and not with those that are going away
    const [metric] = listAt(found, 'status.currentMetrics')
    const load = numberAt(metric, 'resource.current.averageUtilization')
    if (reason === 'TooManyReplicas' && current === replicas && load > 100) return undefined
    return `the autoscaler of ${placeOf(workload)} says ${reason} at ${current} replicas and ${load} %`
  }
}

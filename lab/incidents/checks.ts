import type { KubeObject } from '@jackstay/kube/resources'
import { conditionOf, listAt, numberAt, textAt } from '../kubernetes/resources/columns.ts'
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

/** What the container of the template says at a path is what the world says. */
export function unchanged(workload: Workload, path: 'image' | 'resources'): Check {
  return ofDeployment(workload, (found) => {
    const [container] = listAt(found, 'spec.template.spec.containers')
    const of = (object: unknown) => JSON.stringify(at(object, path))
    const [now, then] = [of(container), of(workload.container)]
    return now === then ? undefined : `${placeOf(workload)} has ${path} ${now} instead of ${then}`
  })
}

function at(object: unknown, path: string): unknown {
  return typeof object === 'object' && object !== null ? Object(object)[path] : undefined
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

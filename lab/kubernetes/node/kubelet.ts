import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '@jackstay/kube/resources'
import { type Controller, keyOf, placeIn } from '../controllers/controller.ts'
import type { KubeObject } from '../objects.ts'
import { conditionOf, listAt, textAt } from '../resources/columns.ts'
import { timestamp } from '../timestamp.ts'
import type { Behaviours } from './behaviour.ts'
import { type Lived, live } from './container.ts'

const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' }

/** Runs the Pods of one node: what their containers do is told by their images. */
export function kubelet(node: string, behaviours: Behaviours): Controller<'configMaps' | 'pods'> {
  return {
    name: `system:node:${node}`,
    groups: ['system:nodes'],
    watches: {
      pods: {
        type: pods,
        keys: (pod) => (textAt(pod, 'spec.nodeName') === node ? [keyOf(pod)] : []),
      },
      configMaps: { type: configMaps, keys: () => [] },
    },
    async reconcile(key, { client, caches, now, signal }) {
      const { namespace, name } = placeIn(key)
      const pod = caches.pods.get(namespace, name)
      if (pod === undefined || textAt(pod, 'spec.nodeName') !== node) return undefined
      const ref = { ...pods, namespace, name }
      if (pod.metadata.deletionTimestamp !== undefined) {
        const { uid = '' } = pod.metadata
        await client.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid }, signal })
        return undefined
      }
      const keysOf = (map: string) => {
        const found = caches.configMaps.get(namespace, map)
        return found && Object.keys(isRecord(found.data) ? found.data : {})
      }
      const { status, dueMs } = podStatus(pod, behaviours, keysOf, now())
      if (!isDeepStrictEqual(pod.status, status)) {
        const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`
        const put = await client.request({ method: 'PUT', path, body: { ...pod, status }, signal })
        if (put.status >= 300)
          throw new Error(`the status of \`${key}\` was not taken: ${put.status}`)
      }
      return dueMs
    },
  }
}

type KeysOf = (configMap: string) => readonly string[] | undefined

/** What has become of a Pod by now. */
export function podStatus(pod: KubeObject, behaviours: Behaviours, keysOf: KeysOf, now: number) {
  const scheduled = conditionOf(pod, 'PodScheduled')
  const since = Date.parse(
    textAt(scheduled, 'lastTransitionTime', pod.metadata.creationTimestamp ?? ''),
  )
  const known = listAt(pod, 'status.containerStatuses').filter(isRecord)
  const containers = listAt(pod, 'spec.containers').filter(isRecord)
  const lives = containers.map((container) =>
    live({
      ...{ container, since, now, missing: missingFor(container, keysOf) },
      before: known.find(({ name }) => name === container.name),
      behaviour: behaviours(String(container.image)),
    }),
  )
  const runs = lives.some(
    ({ status }) => isRecord(status.state) && status.state.running !== undefined,
  )
  const hadRun = lives.some(
    ({ status }) => textAt(status, 'lastState.terminated.finishedAt') !== '',
  )
  const isReady = lives.length > 0 && lives.every(({ status }) => status.ready === true)
  const before = isRecord(pod.status) ? pod.status : {}
  return {
    dueMs: soonest(lives),
    status: {
      ...before,
      ...{ phase: runs || hadRun ? 'Running' : 'Pending' },
      startTime: textAt(pod, 'status.startTime', timestamp(now)),
      conditions: [
        ...(scheduled === undefined ? [] : [scheduled]),
        ...['Initialized', 'PodReadyToStartContainers'].map((type) => held(pod, type, true, now)),
        ...['ContainersReady', 'Ready'].map((type) => held(pod, type, isReady, now)),
      ],
      containerStatuses: lives.map(({ status }) => status),
    },
  }
}

/** What a container's environment asks of ConfigMaps that is not there. */
function missingFor(container: object, keysOf: KeysOf): string | undefined {
  for (const variable of listAt(container, 'env')) {
    const name = textAt(variable, 'valueFrom.configMapKeyRef.name')
    const key = textAt(variable, 'valueFrom.configMapKeyRef.key')
    if (name === '' || textAt(variable, 'valueFrom.configMapKeyRef.optional') === 'true') continue
    const keys = keysOf(name)
    if (keys === undefined) return `configmap "${name}" not found`
    if (!keys.includes(key)) return `couldn't find key ${key} in ConfigMap ${name}`
  }
  return undefined
}

function held(pod: KubeObject, type: string, holds: boolean, now: number): object {
  const known = conditionOf(pod, type)
  const status = holds ? 'True' : 'False'
  const time = timestamp(now)
  const same = textAt(known, 'status') === status
  const reason = holds || type === 'Initialized' ? {} : { reason: 'ContainersNotReady' }
  return {
    type,
    status,
    ...reason,
    lastTransitionTime: same ? textAt(known, 'lastTransitionTime', time) : time,
  }
}

function soonest(lives: readonly Lived[]): number | undefined {
  const due = lives.flatMap(({ dueMs }) => dueMs ?? [])
  return due.length === 0 ? undefined : Math.max(50, Math.min(...due))
}

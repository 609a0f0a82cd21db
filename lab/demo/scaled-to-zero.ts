import { setTimeout as sleep } from 'node:timers/promises'
import { wordsOf } from '../install/cluster-objects.ts'
import { workload } from './demo-objects.ts'
import type { Scene } from './scene.ts'

const { namespace, name } = workload
const pauseMs = 200

/** For clusters where nothing else is ours to break. */
export const scaledToZero: Scene = {
  title: `somebody scales ${namespace}/${name} to zero`,
  goodAnswer: `scale ${name} to what it had, for it has to serve again`,
  answer: 'ask',
  alert: {
    labels: { alertname: 'DeploymentHasNoReplicas', severity: 'page', namespace, deployment: name },
    annotations: { summary: `${namespace}/${name} has no replicas` },
  },
  async begin(client, signal) {
    const ref = { apiVersion: 'apps/v1', resource: 'deployments', namespace, name }
    const scaled = await client.mergePatch(ref, { spec: { replicas: 0 } }, { signal })
    if (scaled.kind !== 'applied') throw new Error(`it was not scaled: ${wordsOf(scaled)}`)
    const labelSelector = `app.kubernetes.io/name=${name}`
    const pods = { apiVersion: 'v1', resource: 'pods' }
    while ((await client.list(pods, { namespace, labelSelector, signal })).items.length > 0) {
      await sleep(pauseMs, undefined, { signal })
    }
  },
}

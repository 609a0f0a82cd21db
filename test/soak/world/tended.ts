import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { until } from '@jackstay/e2e/attempt'
import { apply, type Manifest } from '@jackstay/e2e/governed'
import type { LineWorld } from '@jackstay/e2e/line-world'
import type { KubeClient } from '@jackstay/kube/client'
import { z } from 'zod'
import { crew, failedJob, nodes } from '../schedule/steps.ts'

const [home] = nodes
const labels = { app: 'crew' }
const container = { name: 'none', image: 'jackstay.local/none:1', imagePullPolicy: 'Never' }
/** Nobody else's Pods come here, and nothing drives ours away. */
const closed = { key: 'jackstay.dev/soak', value: 'true', effect: 'NoSchedule' }
const tolerations = [{ operator: 'Exists' }]

/** Nodes without a machine, Pods that are on one of them by name, and a Job that has failed. */
export async function layTended(w: LineWorld, namespace: string): Promise<void> {
  await apply(w, [...nodes.map(nodeOf), crewOf(namespace), budgetOf(namespace), jobOf(namespace)])
  const failed = ['-n', namespace, 'get', 'job', failedJob, '-o', 'jsonpath={.status.conditions}']
  const over = async () => /"type":"Failed"/.test((await w.kubectl(failed)).stdout)
  await until('the Job has failed', over, 60_000)
  await new Crew(w, namespace).look()
}

function nodeOf(name: string): Manifest {
  return {
    ...{ apiVersion: 'v1', kind: 'Node', spec: { taints: [closed] } },
    metadata: { name, labels: { [governedLabel]: 'true' } },
  }
}

function crewOf(namespace: string): Manifest {
  const spec = { nodeName: home, terminationGracePeriodSeconds: 0, tolerations }
  return {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'crew', namespace } },
    spec: {
      ...{ replicas: crew.length, serviceName: 'crew', podManagementPolicy: 'Parallel' },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...spec, containers: [container] } },
    },
  }
}

/** One of them may be missing. */
function budgetOf(namespace: string): Manifest {
  return {
    ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
    metadata: { name: 'crew', namespace },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  }
}

/** Its Pods find no place, and it gives up after a second. */
function jobOf(namespace: string): Manifest {
  const nodeSelector = { 'example.org/none': 'yes' }
  const pod = { restartPolicy: 'Never', nodeSelector, containers: [container] }
  return {
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: failedJob, namespace } },
    spec: { backoffLimit: 0, activeDeadlineSeconds: 1, template: { spec: pod } },
  }
}

const pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
      status: z.object({ phase: z.string().optional() }),
    }),
  ),
})

/** Stands in for the kubelet of the node: whatever comes there runs and is ready. */
export class Crew {
  readonly #w: Pick<LineWorld, 'admin' | 'person'>
  readonly #namespace: string
  #kubelet: KubeClient | undefined

  constructor(w: Pick<LineWorld, 'admin' | 'person'>, namespace: string) {
    this.#w = w
    this.#namespace = namespace
  }

  async look(): Promise<void> {
    const path = `/api/v1/namespaces/${this.#namespace}/pods`
    const query = new URLSearchParams({ fieldSelector: `spec.nodeName=${home}` })
    const { body } = await this.#w.admin.request({ method: 'GET', path: `${path}?${query}` })
    this.#kubelet ??= (await this.#w.person(`system:node:${home}`, ['system:nodes'])).client
    for (const { metadata, status } of pods.parse(body).items) {
      if (status.phase !== 'Pending' || metadata.deletionTimestamp !== undefined) continue
      // one that is gone by now, or another's write, is looked at again
      await this.#kubelet.request({
        ...{ method: 'PATCH', path: `${path}/${metadata.name}/status`, body: running },
        contentType: 'application/merge-patch+json',
      })
    }
  }
}

const running = {
  status: {
    phase: 'Running',
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      { type: 'Ready', status: 'True' },
    ],
  },
}

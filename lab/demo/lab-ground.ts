import { join } from 'node:path'
import { startLabCluster } from '../lab-cluster.ts'
import { assertOurs } from './data-folder.ts'
import { operator, smallCast } from './demo-objects.ts'
import type { Backstage, Ground } from './ground.ts'
import { assertMemory } from './memory.ts'
import { scaledToZero } from './scaled-to-zero.ts'

export interface LabOptions {
  /** Of its API server; 0 takes a free one. */
  readonly port: number
  /** Where its state lies, to go on with another time; else it ends with the demo. */
  readonly data?: string | undefined
  readonly speed?: number | undefined
  readonly seed?: string | undefined
}

/**
 * A Kubernetes inside this process: nothing else is needed, and nothing real runs on it.
 * @throws JackstayError `invalid_config` for a port that is taken or a folder that cannot be read
 */
export async function labGround(
  { data, ...options }: LabOptions,
  { directory: passing, narrator, signal }: Backstage,
): Promise<Ground> {
  assertMemory()
  const directory = data ?? passing
  if (data !== undefined) assertOurs(data)
  narrator.chapter('1. A cluster in this process')
  const cluster = await narrator.step('the lab’s Kubernetes with three nodes', () =>
    startLabCluster({
      directory: join(directory, 'kubernetes'),
      ...{ ...options, keep: data !== undefined, nodes: ['node-1', 'node-2', 'node-3'] },
      onError: (error) =>
        narrator.say(`the lab: ${error instanceof Error ? error.message : error}`),
    }),
  )
  return {
    ...{ install: { client: cluster.client, signal }, directory, alertmanager: false },
    cast: smallCast({ image: 'registry.example/web:1' }),
    scene: scaledToZero,
    tries: [
      [
        `npx jackstay lab break bad-tag --kubeconfig ${cluster.kubeconfig}`,
        'breaks something else, as the administrator',
      ],
    ],
    operatorIs: 'a client certificate of the lab',
    writeKubeconfig: (options) => cluster.writeKubeconfig(options),
    operatorKubeconfig: () => cluster.issueKubeconfig(operator.user, [operator.group]),
    clear: () => cluster.close(),
  }
}

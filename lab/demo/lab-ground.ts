import { join } from 'node:path'
import { startLabCluster } from '../lab-cluster.ts'
import { worldAgents } from '../world/classes.ts'
import { nodeNames } from '../world/nodes.ts'
import { oncall } from '../world/people.ts'
import { governance, readyDeployments, worldObjects } from '../world/world.ts'
import { isEarlier } from './data-folder.ts'
import type { Backstage, Ground } from './ground.ts'
import { sceneNamed } from './incident-scene.ts'
import { assertMemory } from './memory.ts'

export interface LabOptions {
  /** Of its API server; 0 takes a free one. */
  readonly port: number
  /** Where its state lies, to go on with another time; else it ends with the demo. */
  readonly data?: string | undefined
  readonly speed?: number | undefined
  readonly seed?: string | undefined
  /** What breaks: the first one unless named; nothing where the state is of another time. */
  readonly incident?: string | undefined
}

/**
 * A Kubernetes inside this process: nothing else is needed, and nothing real runs on it.
 * @throws JackstayError `invalid_config` for a port that is taken or a folder that cannot be read
 */
export async function labGround(
  { data, incident, ...options }: LabOptions,
  { directory: passing, narrator, signal }: Backstage,
): Promise<Ground> {
  assertMemory()
  const directory = data ?? passing
  const goesOn = data !== undefined && isEarlier(data)
  const scene = goesOn && incident === undefined ? undefined : sceneNamed(incident)
  narrator.chapter('A cluster in this process')
  const cluster = await narrator.step('the lab’s Kubernetes with three nodes', () =>
    startLabCluster({
      directory: join(directory, 'kubernetes'),
      ...{ ...options, keep: data !== undefined, nodes: nodeNames },
      onError: (error) =>
        narrator.say(`the lab: ${error instanceof Error ? error.message : error}`),
    }),
  )
  return {
    ...{ install: { client: cluster.client, signal }, directory, alerts: 'posted' as const },
    cast: { workloads: worldObjects, ready: readyDeployments, governance, agents: worldAgents },
    scene,
    exports: { JACKSTAY_LAB_KUBECONFIG: cluster.kubeconfig },
    tries: [
      ['npx jackstay lab break bad-tag', 'breaks something else, and says how to tell agents'],
    ],
    operatorIs: 'a client certificate of the lab',
    writeKubeconfig: (options) => cluster.writeKubeconfig(options),
    operatorKubeconfig: () => cluster.issueKubeconfig(oncall.user, [oncall.group]),
    clear: () => cluster.close(),
  }
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Plan } from '@jackstay/contract/plan'
import { type FactReader, isRefusal, type Observed } from '../action.ts'
import { withPlanned } from '../workload/workload-builder.ts'
import { nodeDrain } from './drain.ts'

const uidOf = (i: number) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`
const governed = { 'jackstay.dev/governed': 'true' }

interface World {
  pods: Observed[]
  labels: Readonly<Record<string, string>>
  unschedulable?: boolean
  namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>
}

function podOf(
  i: number,
  changes: {
    owner?: string | null
    volumes?: object[]
    phase?: string
    namespace?: string
    annotations?: object
  } = {},
): Observed {
  const { owner = 'ReplicaSet', namespace = 'shop', annotations = {}, volumes = [] } = changes
  const ownerReferences =
    owner === null ? [] : [{ kind: owner, name: 'o', uid: uidOf(900), controller: true }]
  return {
    metadata: { name: `web-${i}`, namespace, uid: uidOf(i), annotations, ownerReferences },
    spec: { nodeName: 'n1', volumes },
    status: { phase: changes.phase ?? 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  } as unknown as Observed
}

function worldOf(changes: Partial<World> = {}): World {
  return {
    pods: [podOf(1), podOf(2)],
    labels: governed,
    namespaces: { shop: governed },
    ...changes,
  }
}

function readerOf(world: World): FactReader {
  return {
    async get({ kind }, _, name) {
      if (kind === 'Namespace') return { metadata: { labels: world.namespaces[name] ?? {} } }
      return {
        metadata: { name, uid: uidOf(100), labels: world.labels },
        spec: { ...(world.unschedulable && { unschedulable: true }) },
      }
    },
    list: async () => [],
    listEverywhere: async () => world.pods,
  }
}

const target = { apiVersion: 'v1', kind: 'Node', namespace: '', name: 'n1' }

async function prepared(world: World, params: object = {}) {
  return nodeDrain.prepare(target, params, readerOf(world), {
    intent: 'i',
    signedAt: 1_767_268_800,
  })
}

async function planned(world: World, params: object = {}): Promise<Plan> {
  const plan = await prepared(world, params)
  assert.ok(!isRefusal(plan), JSON.stringify(plan))
  return withPlanned('node.drain', plan)
}

async function refusal(world: World, params: object = {}): Promise<string> {
  const plan = await prepared(world, params)
  return isRefusal(plan) ? `${plan.refused}: ${plan.message}` : 'planned'
}

describe('node.drain', () => {
  it('cordons first, then evicts one Pod after another, in an order that stays', async () => {
    const world = worldOf({ pods: [podOf(2), podOf(1)] })
    const { writes, reversibility, blastRadius } = await planned(world)
    assert.deepEqual(
      writes.map((w) => `${w.id} ${w.verb} ${w.object.name}`),
      ['w1 patch n1', 'w2 evict web-1', 'w3 evict web-2'],
    )
    assert.equal(reversibility, 'self-healing')
    assert.deepEqual([blastRadius.pods, blastRadius.readyReplicasLost], [2, 2])
    const closed = await planned(worldOf({ unschedulable: true }))
    assert.deepEqual(
      closed.writes.map((w) => w.verb),
      ['evict', 'evict'],
    )
  })

  it('leaves Pods of DaemonSets, of the node itself and those that ended', async () => {
    const mirror = { 'kubernetes.io/config.mirror': 'x' }
    const pods = [
      podOf(1),
      podOf(2, { owner: 'DaemonSet' }),
      podOf(3, { owner: 'Node', annotations: mirror }),
      podOf(4, { owner: null, phase: 'Succeeded' }),
    ]
    const { writes } = await planned(worldOf({ pods }))
    assert.deepEqual(
      writes.map((w) => w.object.name),
      ['n1', 'web-1'],
    )
  })

  it('refuses what it would lose, and what is nobody’s to evict', async () => {
    const alone = worldOf({ pods: [podOf(1, { owner: null })] })
    assert.match(await refusal(alone), /^unsuitable_target: nothing would replace .*shop\/web-1/)
    const local = worldOf({ pods: [podOf(1, { volumes: [{ name: 'data', emptyDir: {} }] })] })
    assert.match(await refusal(local), /^unsuitable_target: .*deleteLocalData/)
    assert.equal(await refusal(local, { deleteLocalData: true }), 'planned')
    const foreign = worldOf({ pods: [podOf(1, { namespace: 'kube-system' })] })
    assert.match(await refusal(foreign), /^not_governed: .*kube-system\/web-1/)
    assert.match(await refusal(worldOf({ labels: {} })), /^not_governed: /)
    const many = worldOf({ pods: Array.from({ length: 64 }, (_, i) => podOf(i + 1)) })
    assert.match(await refusal(many), /^unsuitable_target: 64 Pods/)
    const done = worldOf({ pods: [], unschedulable: true })
    assert.match(await refusal(done), /^no_change: /)
  })

  it('stops for Pods that the plan does not list, and is done when the planned ones are gone', async () => {
    const world = worldOf()
    const plan = await planned(world)
    const read = readerOf(world)
    const unplanned = async () => (await nodeDrain.unplanned?.(plan, read)) ?? 'goes on'
    assert.match(await unplanned(), /somebody opened the Node/)
    world.unschedulable = true
    assert.equal(await unplanned(), 'goes on')
    world.labels = {}
    assert.match(await unplanned(), /not labelled/)
    world.labels = governed
    world.pods.push(podOf(7))
    assert.match(await unplanned(), /turned up.*shop\/web-7/)
    assert.equal((await nodeDrain.watch?.(plan, read))?.state, 'broken')
    world.pods = [podOf(2)]
    assert.equal((await nodeDrain.watch?.(plan, read))?.state, 'pending')
    world.pods = []
    assert.equal((await nodeDrain.watch?.(plan, read))?.state, 'holds')
    world.unschedulable = false
    assert.equal((await nodeDrain.watch?.(plan, read))?.state, 'broken', 'somebody opened it')
  })
})

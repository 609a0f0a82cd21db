import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { requests } from '@jackstay/actions/action'
import { catalogue } from '@jackstay/actions/catalogue'
import { attempt, passed, refusedBy, until } from './attempt.ts'
import { chartPolicies } from './chart.ts'
import { apply, deploymentOf, type Governed, governed, type Manifest } from './governed.ts'
import { evictionOf, evictionPath, evictor } from './node-attacks.ts'
import { clusterPath, suspensionOf } from './specimens.ts'
import { noCluster, type World, world } from './world.ts'
import { lastAdmitted } from './writers.ts'

const system = '/api/v1/namespaces/jackstay-system'
const byLabel = 'jackstay-suspended-by-label'
const byKind = 'jackstay-suspended-by-kind'
const runs = 20
// the aim is 100 ms on an idle machine; a test must not depend on whose machine it is
const generousMs = 1000

describe('suspension, with every program of Jackstay dead', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  before(async () => {
    w = await world()
    g = await governed(w)
    await apply(w, writersTargets(g))
  })
  // whatever failed: nothing stays suspended
  after(async () => {
    if (w === undefined) return
    await label(system, null)
    await w.kubectl(['delete', 'suspensions', '--all'])
  })

  const label = async (path: string, value: string | null) => {
    const labels = { 'jackstay.dev/suspended': value }
    passed(await attempt(w.admin, 'PATCH', path, { metadata: { labels } }))
  }
  const suspend = async (spec: Manifest) => {
    const one = suspensionOf(spec)
    passed(await attempt(w.admin, 'POST', clusterPath('suspensions'), one))
    return async () => {
      const path = `${clusterPath('suspensions')}/${one.metadata.name}`
      passed(await attempt(w.admin, 'DELETE', path))
    }
  }
  const dryWrite = (changes: Record<string, readonly string[]> = {}) =>
    g.patch(
      { spec: { replicas: 2 } },
      { dryRun: true, as: w.executor(g.class, { ...g.extra, ...changes }) },
    )
  const stopped = async (policy: string, changes?: Record<string, readonly string[]>) => {
    await until(`${policy} stops the executor`, async () => (await dryWrite(changes)).status >= 400)
    refusedBy(policy, await dryWrite(changes))
  }
  const free = (changes?: Record<string, readonly string[]>) =>
    until('the executor writes again', async () => (await dryWrite(changes)).status < 300)
  const undo = { 'jackstay.dev/phase': ['undo'] }

  it('of everything by the label on jackstay-system stops every executor, undo included (T73)', async () => {
    await free()
    for (const value of ['', 'true', 'no']) {
      await label(system, value)
      await stopped(byLabel)
      await stopped(byLabel, undo)
      await label(system, null)
      await free()
    }
  })

  it('of a namespace by its label stops that namespace alone (T73)', async () => {
    const other = await governed(w)
    await label(`/api/v1/namespaces/${g.target}`, '')
    await stopped(byLabel)
    passed(await other.patch({ spec: { replicas: 2 } }, { dryRun: true }))
    await label(`/api/v1/namespaces/${g.target}`, null)
    await free()
  })

  it('by a Suspension stops a class, an agent or an action, and nobody else (T73)', async () => {
    const other = await governed(w)
    for (const spec of [{ class: g.class }, { agent: `${g.namespace}/${g.agent}` }]) {
      const lift = await suspend(spec)
      await stopped(byKind)
      await stopped(byKind, undo)
      passed(await other.patch({ spec: { replicas: 2 } }, { dryRun: true }))
      await lift()
      await free()
    }
    const lift = await suspend({ action: 'workload.scale' })
    await stopped(byKind)
    await lift()
    await free()
    const liftOther = await suspend({ action: 'workload.other' })
    passed(await dryWrite())
    await liftOther()
  })

  it('of one target stops writes of that object alone, whoever makes them (T73)', async () => {
    const target = { namespace: g.target, kind: 'Deployment', name: 'api' }
    const lift = await suspend({ target })
    await stopped(byKind)
    await stopped(byKind, undo)
    const sibling = g.path(g.target, targets[0])
    const body = { spec: { replicas: 2 } }
    passed(await g.patch(body, { dryRun: true, deployment: sibling }))
    const other = await governed(w)
    passed(await other.patch(body, { dryRun: true }))
    await lift()
    await free()
    const liftOther = await suspend({ target: { ...target, kind: 'StatefulSet' } })
    const liftAnother = await suspend({ target: { kind: 'Deployment', name: 'api' } })
    passed(await dryWrite())
    await liftAnother()
    await liftOther()
    const sparing = await suspend({ target, undo: 'allow' })
    await stopped(byKind)
    passed(await dryWrite(undo))
    await sparing()
    await free()
  })

  it('of a Pod stops its eviction, of a Node those of its drain too, and no others (T73)', async () => {
    const evict = (action: string, pod = 'victim') => {
      const body = evictionOf({}, { 'jackstay.dev/drains': 'quiet' }, pod)
      return attempt(evictor(w, g, action), 'POST', evictionPath(g, pod), body)
    }
    const stops = async (action: string) => {
      const gone = async () => (await evict(action)).status === 403
      await until(`a Suspension stops ${action}`, gone)
      refusedBy('jackstay-suspended-by-kind-labelled', await evict(action))
    }
    const passes = async (action: string, pod?: string) =>
      assert.equal((await evict(action, pod)).status, 404)
    const lift = await suspend({ target: { namespace: g.target, kind: 'Pod', name: 'victim' } })
    await stops('pod.evict')
    await stops('node.drain')
    await passes('node.drain', 'another')
    await lift()
    await until('it goes again', async () => (await evict('node.drain')).status === 404)
    const liftOther = await suspend({ target: { kind: 'Node', name: 'other' } })
    const liftNode = await suspend({ target: { kind: 'Node', name: 'quiet' } })
    await stops('node.drain')
    await liftNode()
    await until('the drain goes on', async () => (await evict('node.drain')).status === 404)
    await liftOther()
  })

  it('says who made it only as the API server knows them', async () => {
    const { client } = await w.person('responder-1', ['system:masters'])
    const path = clusterPath('suspensions')
    const forged = suspensionOf({ class: 'nobody', madeBy: 'somebody-else' })
    refusedBy('jackstay-suspensions-signed', await attempt(client, 'POST', path, forged))
    const own = suspensionOf({ class: 'nobody', madeBy: 'responder-1' })
    passed(await attempt(client, 'POST', path, own))
    const at = `${path}/${own.metadata.name}`
    const stolen = { spec: { madeBy: 'somebody-else' } }
    refusedBy('jackstay-suspensions-signed', await attempt(w.admin, 'PATCH', at, stolen))
    passed(await attempt(w.admin, 'PATCH', at, { spec: { reason: 'still on it' } }))
    passed(await attempt(w.admin, 'DELETE', at))
  })

  it('lets undos pass where it says so, and holds them otherwise', async () => {
    const lift = await suspend({ class: g.class, undo: 'allow' })
    await stopped(byKind)
    passed(await dryWrite(undo))
    const liftSecond = await suspend({ class: g.class, undo: 'hold' })
    await stopped(byKind, undo)
    await liftSecond()
    await lift()
    await free()
  })

  it('never stops anybody else', async () => {
    const lift = await suspend({ action: 'workload.scale' })
    await label(system, '')
    // the server names only one of the two
    await stopped('jackstay-suspended-by-')
    const { client } = await w.person('platform-1', ['system:masters'])
    passed(await attempt(client, 'PATCH', g.deployment, { spec: { replicas: 1 } }))
    passed(await attempt(client, 'PATCH', `${g.deployment}/scale`, { spec: { replicas: 2 } }))
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x-' } }
    passed(await attempt(client, 'POST', `/api/v1/namespaces/${g.target}/configmaps`, configMap))
    await label(system, null)
    await lift()
    await free()
  })

  it('is lifted by no identity of Jackstay, whatever it is bound to (T73, T79)', async () => {
    const one = suspensionOf({ class: g.class })
    const path = `${clusterPath('suspensions')}/${one.metadata.name}`
    passed(await attempt(w.admin, 'POST', clusterPath('suspensions'), one))
    await label(system, '')
    for (const name of ['mediator', 'registrar', 'kubernetes-read', 'operator', 'warden']) {
      const username = `system:serviceaccount:jackstay-system:jackstay-${name}`
      const client = w.admin.as({ username, groups: ['system:masters'] })
      refusedBy('jackstay-suspensions-kept', await attempt(client, 'DELETE', path))
      const collection = await attempt(client, 'DELETE', clusterPath('suspensions'))
      refusedBy('jackstay-suspensions-kept', collection)
      const weaker = { spec: { class: 'another' } }
      refusedBy('jackstay-suspensions-kept', await attempt(client, 'PATCH', path, weaker))
      const unlabelled = { metadata: { labels: { 'jackstay.dev/suspended': null } } }
      for (const at of [system, `${system}/status`]) {
        refusedBy('jackstay-suspended-label-kept', await attempt(client, 'PATCH', at, unlabelled))
      }
    }
    await label(system, null)
    passed(await attempt(w.admin, 'DELETE', path))
    await free()
  })

  it('covers every write of the catalogue', async () => {
    const found = (await chartPolicies()).filter(({ policy }) =>
      policy.metadata.name.startsWith(byKind),
    )
    const rules = found.flatMap(({ policy }) => policy.spec.matchConstraints.resourceRules)
    for (const { group, resource, verb } of catalogue.flatMap(({ writes }) => writes)) {
      const { operation, subresource } = requests[verb]
      const matched = subresource === '' ? resource : `${resource}/${subresource}`
      const covered = rules.some(
        (rule) =>
          rule.apiGroups.includes(group) &&
          rule.operations.includes(operation) &&
          rule.resources.includes(matched),
      )
      assert.ok(covered, `no policy ${byKind} matches ${operation} ${group}/${matched}`)
    }
  })

  it('by label stops parallel writers at once (T73, invariant 8)', async () => {
    const latest: number[] = []
    for (let run = 0; run < runs; run++) {
      await free()
      latest.push(await lastAdmitted(g, targets, () => label(system, '')))
      await label(system, null)
    }
    assert.ok(report('label', latest) <= generousMs)
  })

  it('by a Suspension stops parallel writers at once (T73, invariant 8)', async () => {
    const latest: number[] = []
    for (let run = 0; run < runs; run++) {
      await free()
      let lift = async () => {}
      latest.push(
        await lastAdmitted(g, targets, async () => {
          lift = await suspend({ class: g.class })
        }),
      )
      await lift()
    }
    assert.ok(report('suspension', latest) <= generousMs)
  })
})

const targets = ['w1', 'w2', 'w3', 'w4']

const writersTargets = ({ target }: Governed) =>
  targets.map((name) => deploymentOf(target, name, 0))

function report(what: string, latest: readonly number[]): number {
  const max = Math.max(...latest)
  const median = latest.toSorted((a, b) => a - b)[Math.floor(latest.length / 2)] ?? 0
  const text = `${what}: max ${max.toFixed(0)} ms over ${latest.length} runs`
  process.stdout.write(`${text} (median ${median.toFixed(0)} ms)\n`)
  return max
}

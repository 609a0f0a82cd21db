import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { labelSelector } from '@jackstay/contract/label-selector'
import fc from 'fast-check'
import { facts } from '../facts.ts'
import { risk } from '../risk.ts'
import { blastRadiusOf } from './blast-radius.ts'
import type { BudgetView, Disruption, QuotaView, Surroundings } from './disruption.ts'

const app = { app: 'web' }
const podSpec = {
  containers: [{ resources: { requests: { cpu: '500m' }, limits: { cpu: '1', memory: '1Gi' } } }],
}
const web: Disruption = {
  ...{ kind: 'Deployment', namespace: 'shop', name: 'web', labels: {}, priority: '' },
  ...{ pods: [{ labels: app, lost: 1 }], ready: 3, replicas: { before: 3, after: 2 } },
}
const own = { objects: 1, pods: 1, readyReplicasLost: 1, namespaces: ['shop'] }

interface World {
  readonly budgets: readonly BudgetView[]
  readonly quotas: QuotaView['limits']
  readonly autoscalers: readonly { name: string; min: number; max: number }[]
  readonly labels: Readonly<Record<string, string>> | undefined
  readonly classes: Readonly<Record<string, number>>
}
const calm: World = { budgets: [], quotas: [], autoscalers: [], labels: {}, classes: { '': 0 } }

function around(world: World): Surroundings {
  const here = <T>(namespace: string, all: readonly T[]) => (namespace === 'shop' ? all : [])
  const target = { kind: 'Deployment', name: 'web' }
  return {
    labels: () => world.labels,
    budgets: (namespace) => here(namespace, world.budgets),
    autoscalers: (namespace) =>
      here(namespace, world.autoscalers).map((one) => ({ ...one, namespace, target })),
    quotas: (namespace) => here(namespace, [{ name: 'q', namespace, limits: world.quotas }]),
    priority: (name) => world.classes[name],
  }
}

const budget = (
  allowed: number | undefined,
  matchLabels: object | undefined = app,
): BudgetView => ({
  ...{ namespace: 'shop', name: 'b', allowed },
  selector: labelSelector.parse({ matchLabels }),
})
const of = (changes: Partial<Disruption>, world: Partial<World> = {}) =>
  blastRadiusOf(own, [{ ...web, ...changes }], around({ ...calm, ...world }))

describe('the blast radius', () => {
  it('has the share of the workload that loses most, rounded up', () => {
    assert.equal(of({}).sharePercent, 34)
    assert.equal(of({ pods: [{ labels: {}, lost: 0 }], ready: undefined }).sharePercent, 0)
    assert.equal(of({ ready: 0 }).sharePercent, 100)
    const small = { ...web, name: 'small', ready: 2 }
    const both = (other: Disruption) => blastRadiusOf(own, [web, other], around(calm)).sharePercent
    assert.equal(both(small), 50)
    assert.equal(both({ ...small, ready: undefined }), undefined, 'it could be all')
    assert.ok(!('sharePercent' in of({ ready: undefined })), 'absent, not undefined')
  })

  it('counts what budgets over its Pods allow, and what it takes of each', () => {
    const [one] = of({}, { budgets: [budget(1)] }).budgets
    assert.deepEqual(one, { namespace: 'shop', name: 'b', lost: 1, allowed: 1, headroom: 0 })
    assert.equal(of({}, { budgets: [budget(0)] }).budgets[0]?.headroom, -1)
    assert.deepEqual(of({}, { budgets: [budget(undefined)] }).budgets, [
      { namespace: 'shop', name: 'b', lost: 1 },
    ])
    assert.deepEqual(of({}, { budgets: [budget(1, { app: 'other' })] }).budgets, [])
    assert.equal(of({}, { budgets: [budget(1, {})] }).budgets.length, 1, 'an empty one takes all')
    const none = { ...budget(1), selector: undefined }
    assert.deepEqual(of({}, { budgets: [none] }).budgets, [])
    // two Deployments under one budget
    const two = [web, { ...web, name: 'other' }]
    const { budgets } = blastRadiusOf(own, two, around({ ...calm, budgets: [budget(1)] }))
    assert.deepEqual([budgets[0]?.lost, budgets[0]?.headroom], [2, -1])
  })

  it('says how much an autoscaler may add, and whether it would set the number back', () => {
    const scaler = { name: 'h', min: 3, max: 5 }
    const [low] = of({}, { autoscalers: [scaler] }).autoscalers
    assert.deepEqual(low, {
      ...{ namespace: 'shop', name: 'h', min: 3, max: 5 },
      ...{ replicas: 2, headroom: 3, fights: true },
    })
    const high = of({ replicas: { before: 2, after: 6 } }, { autoscalers: [scaler] })
    assert.deepEqual([high.autoscalers[0]?.headroom, high.autoscalers[0]?.fights], [-1, true])
    const same = of({ replicas: { before: 2, after: 2 } }, { autoscalers: [scaler] })
    assert.equal(same.autoscalers[0]?.fights, false, 'the change sets nothing')
    const off = of({ replicas: { before: 2, after: 0 } }, { autoscalers: [scaler] })
    assert.equal(off.autoscalers[0]?.fights, false, 'at zero it is off')
    const other = { name: 'other', min: 6, max: 9 }
    const bounds = { name: 'h', min: 1, max: 2 }
    const made = of({ bounds }, { autoscalers: [scaler, other] }).autoscalers
    assert.deepEqual(
      made.map(({ name, max, fights }) => [name, max, fights]),
      [
        ['h', 2, false],
        ['other', 9, true],
      ],
    )
    assert.ok(
      !(
        'headroom' in (of({ replicas: undefined }, { autoscalers: [scaler] }).autoscalers[0] ?? {})
      ),
    )
  })

  it('reckons what quotas have left once the Pods that it adds are there', () => {
    const growth = { extra: 2, replaced: 0, before: podSpec, after: podSpec }
    const left = (resource: string, hard: string, used: string, more: object = growth) =>
      of({ growth: { ...growth, ...more } }, { quotas: [{ resource, hard, used }] }).quotas[0]
        ?.leftPercent
    assert.equal(left('pods', '10', '5'), 30)
    assert.equal(left('pods', '10', '9'), -10)
    assert.equal(left('requests.cpu', '4', '1'), 50)
    assert.equal(left('cpu', '4', '3'), 0)
    assert.equal(left('limits.memory', '3Gi', '2Gi'), -34, 'rounded down')
    assert.equal(left('services', '3', '1'), 66)
    assert.equal(left('pods', '10', ''), undefined, 'not counted')
    assert.equal(left('limits.ephemeral-storage', '1Gi', '0'), undefined, 'nobody says how much')
    assert.equal(left('requests.nvidia.com/gpu', '1', '0'), 100)
    assert.equal(left('count/jobs.batch', '2', '0', { objects: { 'count/jobs.batch': 1 } }), 50)
    const volumes = { unknown: ['persistentvolumeclaims', 'requests.storage'] }
    assert.equal(
      left('gold.storageclass.storage.k8s.io/requests.storage', '9', '1', volumes),
      undefined,
    )
    assert.equal(left('pods', '0', '0', { extra: 0 }), 0)
    assert.equal(left('pods', '0', '0'), -100)
    const wider = { containers: [{ resources: { requests: { cpu: '1500m' } } }] }
    assert.equal(left('cpu', '10', '3', { extra: 1, replaced: 3, after: wider }), 25)
    const init = { ...podSpec, initContainers: [{ resources: { requests: { cpu: '3' } } }] }
    assert.equal(left('cpu', '10', '0', { extra: 1, after: init }), 70)
    const sidecar = { resources: { requests: { cpu: '1' } }, restartPolicy: 'Always' }
    assert.equal(
      left('cpu', '10', '0', { extra: 1, after: { ...podSpec, initContainers: [sidecar] } }),
      85,
    )
    assert.equal(
      left('cpu', '10', '0', { extra: 1, after: { ...podSpec, overhead: { cpu: '1' } } }),
      85,
    )
    const bare = { containers: [{}] }
    assert.equal(left('cpu', '10', '0', { extra: 0, replaced: 2, before: bare, after: bare }), 100)
  })

  it('matters as much as the namespace, workload or priority that matters most', () => {
    const label = (value: string) => ({ 'jackstay.dev/criticality': value })
    assert.equal(of({}).criticality, 'medium')
    assert.equal(of({}, { labels: label('low') }).criticality, 'low')
    assert.equal(of({}, { labels: label('urgent') }).criticality, 'high')
    assert.equal(of({}, { labels: undefined }).criticality, 'high', 'an unknown namespace')
    assert.equal(of({ labels: label('high') }, { labels: label('low') }).criticality, 'high')
    assert.equal(
      of({ labels: label('low') }).criticality,
      'medium',
      'no workload plays itself down',
    )
    const classes = { '': 0, gold: 1000, 'system-cluster-critical': 2_000_000_000 }
    assert.equal(of({ priority: 'gold' }, { classes }).priority, 1000)
    assert.equal(of({ priority: 'system-cluster-critical' }, { classes }).criticality, 'high')
    const gone = of({ priority: 'gone' }, { classes })
    assert.ok(!('priority' in gone))
    assert.equal(gone.criticality, 'high')
    assert.equal(of({ priority: 7 }, { classes: {} }).priority, 7)
  })

  it('is what rules may read, and no risk falls when more is lost, less is left or known (T26, T29)', () => {
    const { blastRadius } = facts.shape.plan.shape
    const arbitrary = fc.record({
      lost: fc.nat(5),
      ready: fc.option(fc.nat(6), { nil: undefined }),
      allowed: fc.option(fc.nat(4), { nil: undefined }),
      max: fc.integer({ min: 1, max: 6 }),
      used: fc.constantFrom('1', '4', '11', ''),
      priority: fc.constantFrom('', 'gone'),
    })
    type Case = { -readonly [K in 'lost' | 'max']: number } & {
      ready: number | undefined
      allowed: number | undefined
      used: string
      priority: string
    }
    const made = ({ lost, ready, allowed, max, used, priority }: Case) => {
      const growth = { extra: 1, replaced: 0, before: podSpec, after: podSpec }
      const radius = of(
        { pods: [{ labels: app, lost }], ready, priority, growth },
        {
          budgets: [budget(allowed)],
          autoscalers: [{ name: 'h', min: 1, max }],
          quotas: [{ resource: 'pods', hard: '10', used }],
        },
      )
      blastRadius.parse(radius)
      return risk({ blastRadius: radius, reversibility: 'inverse' }).parts
    }
    fc.assert(
      fc.property(arbitrary, (one) => {
        const before = Object.entries(made(one))
        const worse: Case[] = [
          { ...one, lost: one.lost + 1 },
          { ...one, ready: undefined },
          { ...one, ready: one.ready && one.ready - 1 },
          { ...one, allowed: undefined },
          { ...one, allowed: one.allowed && one.allowed - 1 },
          { ...one, max: one.max - 1 },
          { ...one, used: one.used === '' ? '' : '11' },
          { ...one, used: '' },
          { ...one, priority: 'gone' },
        ]
        for (const other of worse) {
          const after = new Map(Object.entries(made(other)))
          for (const [name, value] of before) {
            assert.ok((after.get(name) ?? -1) >= value, `${name}: ${JSON.stringify(other)}`)
          }
        }
      }),
    )
  })
})

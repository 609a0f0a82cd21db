import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import type { Trigger } from '@jackstay/contract/trigger'
import { runAgent } from './agent.ts'
import {
  deploymentWith,
  eventSaying,
  type Incident,
  newIncident,
  replicaSetOf,
  startedAt,
  triggerFor,
  viewIn,
} from './incident-world.ts'

type Told = Readonly<Record<string, unknown>> & { readonly event: string }

/** Runs the agent until `enough` of what it tells. */
async function run(incident: Incident, enough: (told: readonly Told[]) => boolean) {
  const told: Told[] = []
  const delays: string[] = []
  const stop = new AbortController()
  let now = startedAt
  const done = Promise.withResolvers<void>()
  const running = runAgent(
    {
      sidecar: incident.sidecar,
      tell(event, detail) {
        told.push({ event, ...detail })
        if (enough(told)) done.resolve()
      },
      onDelay: ({ code }) => delays.push(code),
      clock: { now: () => now },
      cordonSettledMs: 600_000,
      sleep: async (ms) => {
        now += ms
      },
    },
    stop.signal,
  )
  await Promise.race([done.promise, running])
  stop.abort()
  await running
  return { told, delays }
}

const outcome = (told: readonly Told[]) => told.some(({ event }) => event === 'agent.outcome')
const diagnosed = (told: readonly Told[]) => told.some(({ event }) => event === 'agent.diagnosis')

const escalations = (told: readonly Told[]) =>
  told.filter(({ event }) => event === 'agent.escalated')
const escalated = (told: readonly Told[]) => escalations(told).length > 0
/** Offers another alert once the first is answered, and not before. */
function afterwards(incident: Incident, next: Trigger, enough: (told: readonly Told[]) => boolean) {
  let offered = false
  return (told: readonly Told[]) => {
    if (!offered && outcome(told)) {
      offered = true
      // what the agent does after an outcome is done by then
      setImmediate(() => setImmediate(() => incident.triggers.push([next])))
    }
    return enough(told)
  }
}
const diagnosisOf = (told: readonly Told[]) =>
  told.find(({ event }) => event === 'agent.diagnosis') ?? { event: '' }

describe('runbook agent', () => {
  it('answers an alert: reads, diagnoses, asks, follows to the outcome', async () => {
    const incident = newIncident({
      views: [
        viewIn('approve'),
        viewIn('execute'),
        viewIn('verified', [
          {
            seq: 9,
            type: 'ended',
            at: '2026-01-05T12:00:00Z',
            data: { phase: 'verified', reason: 'succeeded', message: '2 of 2 available' },
            leafIndexes: [],
          },
        ]),
      ],
    })
    const { told } = await run(incident, outcome)
    assert.deepEqual(
      told.map(({ event, phase }) => `${event}${phase ? ` ${String(phase)}` : ''}`),
      [
        'agent.trigger',
        'agent.diagnosis',
        'agent.intent approve',
        'agent.intent execute',
        'agent.intent verified',
        'agent.outcome verified',
      ],
    )
    assert.equal(told.at(-1)?.reason, 'succeeded')
    const [asked] = incident.proposed
    assert.deepEqual(asked?.params, { replicas: 2 })
    assert.equal(asked?.because.triggerId, triggerFor().id)
    assert.deepEqual(
      asked?.because.evidence.map(({ uri }) => uri),
      ['k8s:deployment', 'k8s:ReplicaSet', 'k8s:HorizontalPodAutoscaler', 'k8s:Pod', 'k8s:Event'],
    )
  })

  it('takes nothing from the words of the alert', async () => {
    const labels = { ...triggerFor().labels, replicas: '500' }
    const incident = newIncident({ triggers: [[triggerFor({ labels })]] })
    await run(incident, outcome)
    assert.deepEqual(incident.proposed[0]?.params, { replicas: 2 })
  })

  it('escalates an alert that names no Deployment, or one that is not there', async () => {
    const labelled = [{}, { namespace: 'shop' }, { namespace: '../x', deployment: 'web' }]
    for (const labels of labelled) {
      const incident = newIncident({ triggers: [[triggerFor({ labels })]] })
      const { told } = await run(incident, diagnosed)
      assert.equal(diagnosisOf(told).reason, 'no_deployment_named')
    }
    const labels = { namespace: 'shop', deployment: 'gone' }
    const incident = newIncident({ triggers: [[triggerFor({ labels })]] })
    const { told } = await run(incident, diagnosed)
    assert.equal(diagnosisOf(told).reason, 'deployment_missing')
    assert.deepEqual(incident.proposed, [])
  })

  it('escalates what it may not read or cannot understand', async () => {
    const forbidden = new JackstayError('forbidden', 'a RoleBinding is missing')
    for (const deployment of [
      forbidden,
      { metadata: {} },
      { ...deploymentWith({}), spec: { selector: 1 } },
    ]) {
      const incident = newIncident({ deployment })
      const { told } = await run(incident, diagnosed)
      assert.equal(diagnosisOf(told).reason, 'unreadable')
      assert.deepEqual(incident.proposed, [])
    }
  })

  it('escalates when there are more objects than it looks at, instead of guessing', async () => {
    const many = Array.from({ length: 201 }, (_, n) => replicaSetOf(`web-${n}`, n, '1'))
    const { told } = await run(newIncident({ lists: { ReplicaSet: many } }), diagnosed)
    assert.equal(diagnosisOf(told).reason, 'unreadable')
  })

  it('does without events it may not read', async () => {
    const forbidden = [new JackstayError('forbidden', 'no events')]
    const lists = { ReplicaSet: [replicaSetOf('web-1', 1, '3')], Event: forbidden }
    const incident = newIncident({ lists })
    await run(incident, outcome)
    assert.deepEqual(incident.proposed[0]?.params, { replicas: 3 })
  })

  it('reads lists page by page and only its own namespace', async () => {
    const events = Array.from({ length: 150 }, (_, n) => eventSaying(`noise ${n}`))
    const last = eventSaying('Scaled down replica set web-2 from 4 to 0')
    const lists = { ReplicaSet: [replicaSetOf('web-2', 2, '0')], Event: [...events, last] }
    const incident = newIncident({ lists })
    await run(incident, outcome)
    assert.deepEqual(incident.proposed[0]?.params, { replicas: 4 })
    assert.ok(incident.listed.every(({ namespace }) => namespace === 'shop'))
  })

  it('does nothing about a resolved alert or a Deployment that recovered', async () => {
    const resolved = newIncident({ triggers: [[triggerFor({ status: 'resolved' })]] })
    assert.equal((await run(resolved, diagnosed)).told.at(-1)?.kind, 'nothing')
    const recovered = newIncident({
      deployment: deploymentWith({
        spec: { replicas: 2 },
        status: { replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
      }),
    })
    assert.equal((await run(recovered, diagnosed)).told.at(-1)?.kind, 'nothing')
    assert.deepEqual([...resolved.proposed, ...recovered.proposed], [])
  })

  it('asks once for two alerts about one Deployment', async () => {
    const again = triggerFor({ id: '019b8e25-0000-7000-8000-00000000000b' })
    const incident = newIncident({ triggers: [[triggerFor(), again]] })
    await run(incident, outcome)
    assert.equal(incident.proposed.length, 1)
  })

  it('keeps an alert while the control plane is away, and looks anew before it asks', async () => {
    const away = new JackstayError('upstream_unavailable', 'the mediator cannot be reached')
    const incident = newIncident({ views: [away, away, viewIn('verified')] })
    const { told, delays } = await run(incident, outcome)
    assert.deepEqual(delays, ['upstream_unavailable', 'upstream_unavailable'])
    assert.equal(told.filter(({ event }) => event === 'agent.diagnosis').length, 3)
    assert.equal(told.at(-1)?.phase, 'verified')
  })

  it('escalates when it stays away, and never repeats an intent whose fate is unknown', async () => {
    const away = new JackstayError('upstream_unavailable', 'away')
    const long = await run(newIncident({ views: [away] }), outcome)
    assert.equal(long.told.at(-1)?.phase, 'escalated')
    const unknown = newIncident({ views: [new JackstayError('outcome_unknown', 'ask for it')] })
    const { told } = await run(unknown, outcome)
    assert.equal(told.at(-1)?.code, 'outcome_unknown')
    assert.equal(unknown.proposed.length, 1)
  })

  it('accepts a refusal as the answer, calls a person, and never asks for it again', async () => {
    const again = triggerFor({ id: '019b8e25-0000-7000-8000-00000000000b' })
    const incident = newIncident({ views: [viewIn('refused')] })
    const twice = (all: readonly Told[]) => escalations(all).length > 1
    const { told } = await run(incident, afterwards(incident, again, twice))
    const [refused, before] = escalations(told)
    assert.equal(refused?.phase, 'refused')
    assert.equal(before?.reason, 'asked_before')
    assert.equal(before?.triggerId, again.id)
    assert.equal(incident.proposed.length, 1)
  })

  for (const phase of [
    'rejected',
    'expired',
    'failed',
    'rolled_back',
    'rollback_failed',
  ] as const) {
    it(`calls a person when its intent ends ${phase}`, async () => {
      const { told } = await run(newIncident({ views: [viewIn(phase)] }), escalated)
      assert.equal(escalations(told)[0]?.phase, phase)
    })
  }

  for (const phase of ['verified', 'proposed'] as const) {
    it(`calls nobody when its intent ends ${phase}`, async () => {
      const { told } = await run(newIncident({ views: [viewIn(phase)] }), outcome)
      assert.deepEqual(escalations(told), [])
    })
  }

  it('asks again after an intent that nobody judged, where the incident is still there', async () => {
    const again = triggerFor({ id: '019b8e25-0000-7000-8000-00000000000b' })
    const views = [viewIn('obsolete'), viewIn('verified')]
    const incident = newIncident({ views })
    const verified = (all: readonly Told[]) => all.some(({ phase }) => phase === 'verified')
    await run(incident, afterwards(incident, again, verified))
    assert.equal(incident.proposed.length, 2)
  })

  it('leaves an alert that is offered again in peace', async () => {
    const incident = newIncident({ triggers: [[triggerFor()], [triggerFor()], [triggerFor()]] })
    const { told } = await run(incident, outcome)
    assert.equal(told.filter(({ event }) => event === 'agent.trigger').length, 1)
  })

  it('looks again while Pods are on their way, and calls a person when that stays', async () => {
    const unseen = deploymentWith({ status: { observedGeneration: 3 } })
    const seen = deploymentWith({})
    const looks = [unseen, unseen, seen]
    const passing = newIncident()
    const { get } = passing.sidecar
    const sidecar = {
      ...passing.sidecar,
      get: async (...[what, signal]: Parameters<typeof get>) => {
        passing.deployment = looks.shift() ?? seen
        return await get(what, signal)
      },
    }
    const { told } = await run({ ...passing, sidecar }, outcome)
    assert.equal(told.at(-1)?.phase, 'verified')
    const staying = await run(newIncident({ deployment: unseen }), escalated)
    assert.equal(escalations(staying.told)[0]?.reason, 'unsettled')
  })

  it('finds the Deployment of a Pod by who owns it, and reads nodes only for Pods without one', async () => {
    const labels = { exported_namespace: 'shop', namespace: 'monitoring', pod: 'web-1' }
    const incident = newIncident({ triggers: [[triggerFor({ labels })]] })
    const { told } = await run(incident, outcome)
    assert.equal(told.at(-1)?.phase, 'verified')
    assert.ok(incident.listed.every(({ kind }) => kind !== 'Node'))
    assert.ok(incident.listed.every(({ namespace }) => namespace === 'shop'))
  })
})

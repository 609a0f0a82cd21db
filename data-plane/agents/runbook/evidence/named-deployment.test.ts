import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '@jackstay/contract/json'
import type { ListQuery, ObjectQuery, Sidecar } from '../sidecar.ts'
import { namedDeployment } from './named-deployment.ts'
import { Reader } from './reader.ts'
import type { Subject } from './subject.ts'

type Objects = Readonly<Record<string, unknown>>

const metadata = { name: 'x', uid: 'u' }
const owned = (kind: string, name: string, uid: string) => ({
  metadata: { ...metadata, ownerReferences: [{ kind, name, uid }] },
})
const set = {
  ...owned('Deployment', 'web', 'd'),
  metadata: { ...owned('Deployment', 'web', 'd').metadata, uid: 'r' },
}

async function lookFor(kind: Subject['kind'], objects: Objects, pods: readonly unknown[] = []) {
  const asked: string[] = []
  const proof = { uri: 'k8s:x', digest: digestOf('x') }
  const sidecar: Pick<Sidecar, 'get' | 'list'> = {
    async get(what: ObjectQuery) {
      return { object: objects[what.name] ?? objects[what.kind], evidence: proof }
    },
    async list(what: ListQuery) {
      asked.push(`${what.kind} ${what.labelSelector}`)
      return { items: [...pods], evidence: proof }
    },
  }
  const never = async () => {
    throw new TypeError('not to be asked')
  }
  const whole: Sidecar = { ...sidecar, triggers: never, propose: never, intent: never }
  const reader = new Reader(whole, AbortSignal.timeout(5000))
  const found = await namedDeployment({ namespace: 'shop', kind, name: 'x' }, reader)
  return { found, asked }
}

describe('an alert', () => {
  it('about a Pod leads to its Deployment', async () => {
    const { found } = await lookFor('Pod', {
      Pod: owned('ReplicaSet', 'web-1', 'r'),
      ReplicaSet: set,
    })
    assert.equal(found, 'web')
  })

  it('about an autoscaler leads to what it scales', async () => {
    const of = (kind: string) => ({ metadata, spec: { scaleTargetRef: { kind, name: 'web' } } })
    const scaler = { HorizontalPodAutoscaler: of('Deployment') }
    assert.equal((await lookFor('HorizontalPodAutoscaler', scaler)).found, 'web')
    const other = { HorizontalPodAutoscaler: of('StatefulSet') }
    await assert.rejects(lookFor('HorizontalPodAutoscaler', other), /scales no Deployment/)
  })

  it('about a Service leads to the Deployment of its Pods', async () => {
    const objects = { Service: { metadata, spec: { selector: { app: 'web' } } }, ReplicaSet: set }
    const { found, asked } = await lookFor('Service', objects, [owned('ReplicaSet', 'web-1', 'r')])
    assert.equal(found, 'web')
    assert.deepEqual(asked, ['Pod app=web'])
  })

  it('about a Service of several owners is for a person, whichever Pod is listed first', async () => {
    const selecting = { Service: { metadata, spec: { selector: { app: 'web' } } } }
    const canary = owned('Deployment', 'canary', 'c')
    const sets = { 'web-1': set, 'canary-1': { metadata: { ...canary.metadata, uid: 's' } } }
    const web = owned('ReplicaSet', 'web-1', 'r')
    const others = [
      { pod: owned('ReplicaSet', 'canary-1', 's'), said: /app=web: of canary, web$/ },
      { pod: owned('StatefulSet', 'db', 'b'), said: /of web and of what is no Deployment$/ },
      { pod: { metadata }, said: /of web and of what is no Deployment$/ },
    ]
    for (const { pod, said } of others) {
      for (const pods of [
        [web, pod, web],
        [pod, web],
      ]) {
        const { found } = await lookFor('Service', { ...selecting, ...sets }, pods)
        assert.ok(typeof found !== 'string')
        assert.equal(found.reason, 'service_of_several')
        assert.match(found.message, said)
      }
    }
    // an update has two sets, and one owner
    const newer = { metadata: { ...set.metadata, uid: 'n' } }
    const updating = { ...selecting, 'web-1': set, 'web-2': newer }
    const pods = [web, owned('ReplicaSet', 'web-2', 'n')]
    assert.equal((await lookFor('Service', updating, pods)).found, 'web')
    const stateful = [owned('StatefulSet', 'db', 'b')]
    await assert.rejects(lookFor('Service', selecting, stateful), /no Deployment owns/)
  })

  it('about a Service that selects nothing is for a person', async () => {
    const { found } = await lookFor('Service', {
      Service: { metadata, spec: { selector: { app: 'wbe' } } },
    })
    assert.ok(typeof found !== 'string')
    assert.equal(found.reason, 'service_selects_nothing')
    assert.match(found.message, /Service shop\/x selects Pods by app=wbe, and there is none/)
    await assert.rejects(lookFor('Service', { Service: { metadata } }), /has no selector/)
  })
})

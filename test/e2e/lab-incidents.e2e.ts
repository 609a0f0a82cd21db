import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { incidents } from '@jackstay/lab/incidents/catalogue'
import type { Change, Place } from '@jackstay/lab/incidents/incident'
import { applyObjects } from '@jackstay/lab/install'
import { images } from '@jackstay/lab/world/images'
import { workloads } from '@jackstay/lab/world/world'
import { type RealServer, realServer } from './two-servers.ts'
import { noCluster } from './world.ts'

// a fake is no proof that a fault can be written: what breaks the lab's world does so on a real server

const suffix = randomBytes(3).toString('hex')
const skip = await noCluster()
const timeoutMs = 120_000

/** The world in namespaces of its own, so that it meets nobody's. */
function moved<T extends { readonly namespace?: string }>(place: T): T {
  return place.namespace === undefined
    ? place
    : { ...place, namespace: `${place.namespace}-${suffix}` }
}

const objects = [...images, ...workloads].map((object) =>
  object.kind === 'Namespace'
    ? { ...object, metadata: { ...object.metadata, name: `${object.metadata.name}-${suffix}` } }
    : { ...object, metadata: moved(object.metadata) },
)
const namespaces = [...new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []))]
const namespaceOf = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

describe('incidents of the lab on a real API server', { skip }, () => {
  let server: RealServer

  before(async () => {
    server = await realServer()
    const signal = AbortSignal.timeout(timeoutMs)
    const { admin: client } = server
    await applyObjects({ client, signal }, [...namespaces.map(namespaceOf), ...objects])
  })
  after(async () => {
    for (const name of namespaces) {
      await server.admin.delete({ apiVersion: 'v1', resource: 'namespaces', name })
    }
    await server.admin.close()
  })

  /** What somebody wrote, defaults included; nothing that controllers count. */
  async function written(place: Place): Promise<object> {
    const { spec, data, metadata }: KubeObject & { data?: unknown } = await server.admin.get(
      moved(place),
    )
    const { annotations = {} } = metadata
    const own = Object.entries(annotations).filter(([key]) => !key.startsWith('deployment.'))
    return { spec, data, annotations: Object.fromEntries(own) }
  }

  async function write(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      if (!('patch' in change)) continue
      const { patch, with: body } = change
      const answer = await server.admin.mergePatch(moved(patch), body)
      assert.equal(answer.kind, 'applied', `${patch.kind} ${patch.name}: ${JSON.stringify(answer)}`)
    }
  }

  for (const { name, fault, heal } of incidents) {
    const places = fault.flatMap((change) => ('patch' in change ? [change.patch] : []))
    // nodes are everybody's here; node actions have suites of their own
    if (places.length === 0 || places.some(({ kind }) => kind === 'Node')) continue
    it(`${name} can be broken, and healed to what was before`, async () => {
      const before = await Promise.all(places.map(written))
      await write(fault)
      const broken = await Promise.all(places.map(written))
      // what breaks and comes back before anybody looks is no difference
      if (name !== 'already-recovered') assert.notDeepEqual(broken, before)
      await write(heal)
      const healed = await Promise.all(places.map(written))
      assert.ok(before.every(isRecord))
      assert.deepEqual(healed, before)
    })
  }
})

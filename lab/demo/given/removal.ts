import { setTimeout as sleep } from 'node:timers/promises'
import { intentObject } from '@jackstay/contract/kinds/intent-object'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import type { KubeClient } from '@jackstay/kube/client'
import { canary } from '../../install/canary.ts'
import { ClusterObjects, wordsOf } from '../../install/cluster-objects.ts'
import { nameOf } from '../../install/manifests.ts'
import type { Created, Made } from './created.ts'

/** A policy that was deleted may bite a moment longer; a namespace takes its time. */
const patienceMs = 180_000
const pauseMs = 500

/**
 * Takes away exactly what a demo made: each object by its uid, so that nothing of the same name that
 * somebody else made is touched. Policies go first, since they guard the rest.
 * @throws Error naming what is left and how to go on
 */
export async function removeCreated(client: KubeClient, created: Created): Promise<void> {
  const until = performance.now() + patienceMs
  const objects = new ClusterObjects(client)
  const made = [...(await canaries(client)), ...(await created.all(objects))]
  const first = (kind: string) => made.filter((one) => one.manifest.kind === kind)
  const guards = [
    ...first('ValidatingAdmissionPolicyBinding'),
    ...first('ValidatingAdmissionPolicy'),
  ]
  await removeAll(objects, guards, until)
  await letIntentsGo(client, until)
  await removeAll(objects, made, until)
}

/** Policies of a moment, should the installer have been killed in that one. */
async function canaries(client: KubeClient): Promise<readonly Made[]> {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const kinds = ['ValidatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicy'] as const
  const found: Made[] = []
  for (const kind of kinds) {
    const resource = kind.replace(/y$/, 'ie').toLowerCase()
    const { items } = await client.list({ apiVersion, resource: `${resource}s` })
    for (const { metadata } of items) {
      const { name = '', uid = '' } = metadata
      if (name.startsWith(canary))
        found.push({ uid, manifest: { apiVersion, kind, metadata: { name } } })
    }
  }
  return found
}

async function removeAll(
  objects: ClusterObjects,
  made: readonly Made[],
  until: number,
): Promise<void> {
  let left = made
  let last = ''
  for (;;) {
    const still: Made[] = []
    for (const one of left) {
      const found = await objects.find(one.manifest)
      if (found?.metadata.uid !== one.uid) continue
      still.push(one)
      if (found.metadata.deletionTimestamp !== undefined) continue
      const answer = await objects.delete(one.manifest, one.uid)
      if (answer !== undefined && answer.kind !== 'applied') last = `: ${wordsOf(answer)}`
    }
    left = still
    if (left.length === 0) return
    if (performance.now() > until) {
      const names = left.map(({ manifest }) => nameOf(manifest)).join(', ')
      throw new Error(`still there, delete by hand: ${names}${last}`)
    }
    await sleep(pauseMs)
  }
}

/** Intents wait for the mediator's finalizer, and the mediator is gone. */
async function letIntentsGo(client: KubeClient, until: number): Promise<void> {
  const resource = { apiVersion: groupVersion, resource: intentObject.plural }
  const list = () => client.list(resource).catch(() => undefined)
  for (let intents = await list(); intents !== undefined; intents = await list()) {
    const held = intents.items.filter(({ metadata }) => (metadata.finalizers ?? []).length > 0)
    if (held.length === 0 || performance.now() > until) return
    for (const { metadata } of held) {
      const { name = '', namespace = '', uid = '' } = metadata
      await client.mergePatch(
        { ...resource, name, namespace },
        { metadata: { finalizers: null } },
        { preconditions: { uid } },
      )
    }
    await sleep(pauseMs)
  }
}

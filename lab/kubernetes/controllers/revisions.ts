import { isDeepStrictEqual } from 'node:util'
import { withoutUndefined } from '../api/prepare.ts'
import type { KubeObject } from '../objects.ts'
import { mapAt, numberAt } from '../resources/columns.ts'
import type { Reconciling } from './controller.ts'
import { controlledBy, referenceTo } from './owned.ts'
import { templateHash } from './template-hash.ts'

export const controllerRevisions = {
  ...{ apiVersion: 'apps/v1', kind: 'ControllerRevision', resource: 'controllerrevisions' },
}
const hashLabel = 'controller.kubernetes.io/hash'

type Parts = Pick<Reconciling<'revisions'>, 'caches' | 'client' | 'signal'>

/** The revision of a workload's template as it is: found among those that are kept, or made. */
export async function newestRevision(owner: KubeObject, parts: Parts): Promise<KubeObject> {
  const all = controlledBy(owner, parts.caches.revisions)
  const data = dataOf(mapAt(owner, 'spec.template'))
  const newest = Math.max(0, ...all.map(numberOf))
  const known = all.find((one) => isDeepStrictEqual(one.data, data))
  if (known === undefined) return made(owner, data, newest + 1, parts)
  if (numberOf(known) === newest) return known
  // gone back to: it becomes the newest, as rollouts elsewhere do
  const { client, signal } = parts
  const { namespace = '', name = '' } = known.metadata
  const ref = { ...controllerRevisions, namespace, name }
  const moved = await client.mergePatch(ref, { revision: newest + 1 }, { signal })
  if (moved.kind !== 'applied') throw new Error(`revision \`${name}\` was not moved`)
  return moved.object
}

function dataOf(template: Readonly<Record<string, unknown>>): unknown {
  return withoutUndefined({ spec: { template: { ...template, $patch: 'replace' } } })
}

async function made(
  owner: KubeObject,
  data: unknown,
  revision: number,
  { client, signal }: Parts,
): Promise<KubeObject> {
  const { name = '', namespace = '' } = owner.metadata
  const hash = templateHash(data)
  const labels = { ...mapAt(owner, 'spec.template.metadata.labels'), [hashLabel]: hash }
  const { apiVersion, kind } = controllerRevisions
  const metadata = { name: `${name}-${hash}`, labels, ownerReferences: [referenceTo(owner)] }
  const object = { apiVersion, kind, metadata, data, revision }
  const answer = await client.create(controllerRevisions, namespace, object, { signal })
  if (answer.kind !== 'applied') throw new Error(`no revision of \`${name}\`: ${answer.kind}`)
  return answer.object
}

/** Lets go of revisions that no Pod is of, beyond as many as are to be kept. */
export async function forgetRevisions(
  owner: KubeObject,
  used: readonly string[],
  { client, caches, signal }: Parts,
): Promise<void> {
  const idle = controlledBy(owner, caches.revisions)
    .filter(({ metadata }) => !used.includes(metadata.name ?? ''))
    .toSorted((a, b) => numberOf(a) - numberOf(b))
  const keep = numberAt(owner, 'spec.revisionHistoryLimit', 10)
  for (const { metadata } of idle.slice(0, Math.max(0, idle.length - keep))) {
    const { namespace = '', name = '', uid = '' } = metadata
    const ref = { ...controllerRevisions, namespace, name }
    await client.delete(ref, { preconditions: { uid }, signal })
  }
}

function numberOf(revision: KubeObject): number {
  return typeof revision.revision === 'number' ? revision.revision : 0
}

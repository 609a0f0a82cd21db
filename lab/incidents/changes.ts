import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { JackstayError } from '@jackstay/contract/errors'
import type { KubeClient, WriteResult } from '@jackstay/kube/client'
import { find } from '@jackstay/kube/find'
import { isRecord } from '@jackstay/kube/resources'
import { wordsOf } from '../install/cluster-objects.ts'
import type { Change, Check, Incident, Place } from './incident.ts'
import { observe } from './observed.ts'

/** Between two looks. */
const lookMs = 100
const pods = { apiVersion: 'v1', resource: 'pods' }

/** Makes what an incident breaks, or heals it, one write after another. @throws JackstayError */
export async function make(
  client: KubeClient,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<void> {
  for (const change of changes) {
    if ('until' in change) await until(client, change.until, signal)
    else if ('remove' in change) await removePods(client, change, signal)
    else {
      const { patch, with: body } = change
      settled(await client.mergePatch(patch, body, { signal }), patch)
    }
  }
}

/**
 * Whether all objects are already as the changes would make them, by dry-runs: nothing is written.
 * Pods to be removed do not count, of which there always are some.
 */
export async function isSoAlready(
  client: KubeClient,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<boolean> {
  const patches = changes.filter((change) => 'patch' in change)
  // what waits in between goes through states, and ends where it began
  if (patches.length === 0 || changes.some((change) => 'until' in change)) return false
  for (const { patch, with: body } of patches) {
    const before = await client.get(patch, { signal })
    const result = await client.mergePatch(patch, body, { dryRun: true, signal })
    settled(result, patch)
    if (result.kind !== 'applied') return false
    if (!isDeepStrictEqual(touched(before, body), touched(result.object, body))) return false
  }
  return true
}

/** What a patch speaks of: beside it, controllers write at any time. */
function touched(value: unknown, by: unknown): unknown {
  if (!isRecord(value) || !isRecord(by)) return value
  return Object.keys(by).map((key) => touched(value[key], by[key]))
}

async function removePods(
  client: KubeClient,
  { remove, of }: Extract<Change, { readonly remove: unknown }>,
  signal: AbortSignal,
): Promise<void> {
  const labelSelector = `app.kubernetes.io/name=${of.name}`
  const namespace = of.namespace ?? ''
  const { items } = await client.list(pods, { namespace, labelSelector, signal })
  const names = items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .flatMap(({ metadata }) => metadata.name ?? [])
    .toSorted()
  for (const name of remove === 'a-pod' ? names.slice(0, 1) : names) {
    const result = await client.delete({ ...pods, namespace, name }, { signal })
    // gone already is as good
    if (!('status' in result && result.status === 404)) settled(result, of)
  }
}

function settled(result: WriteResult, { kind, namespace, name }: Place): void {
  if (result.kind === 'applied') return
  const place = namespace === undefined ? name : `${namespace}/${name}`
  throw new JackstayError(
    'cluster_refused',
    `${kind} \`${place}\` was not written: ${wordsOf(result)}`,
  )
}

/** Looks until it holds. @throws JackstayError `too_slow` when the signal aborts first, with what was seen last */
export async function until(client: KubeClient, check: Check, signal: AbortSignal): Promise<void> {
  let word: string | undefined = 'nothing was seen'
  try {
    for (;;) {
      word = check(await observe(client, signal))
      if (word === undefined) return
      await sleep(lookMs, undefined, { signal })
    }
  } catch (cause) {
    if (!signal.aborted) throw cause
    throw new JackstayError('too_slow', `waited in vain: ${word}; try again`, { cause })
  }
}

/** What of an incident's objects a cluster does not have, e.g. `Deployment shop/web`. */
export async function missingOf(
  client: KubeClient,
  incident: Incident,
): Promise<readonly string[]> {
  const places = [...incident.fault, ...incident.heal].flatMap((change) =>
    'patch' in change ? [change.patch] : 'remove' in change ? [change.of] : [],
  )
  const missing = new Set<string>()
  for (const place of places) {
    const { kind, namespace, name } = place
    if ((await find(client, place)) === undefined) {
      missing.add(`${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`)
    }
  }
  return [...missing]
}

import { join } from 'node:path'
import { type KubeClient, statusOf } from '@jackstay/kube/client'
import type { Wanted } from './chart.ts'
import { deviation } from './deviation.ts'
import { type Finding, unseen, wrong } from './findings.ts'

interface Place {
  readonly client: KubeClient
  readonly signal: AbortSignal
  /** Folder of the chart, as people type it. */
  readonly folder: string
}

/** So many objects are asked for at once. */
const atOnce = 16

/** Whether everything of the chart stands as it is written there. */
export async function installed(chart: readonly Wanted[], place: Place): Promise<Finding[]> {
  const left = chart.values()
  const found: Finding[] = []
  const missing: Wanted[] = []
  const worker = async () => {
    for (const wanted of left) {
      const standing = await compared(wanted, place)
      if (standing === 'missing') missing.push(wanted)
      else if (standing !== 'well') found.push(standing)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  // a line for each object would hide that there is one thing to do
  if (missing.length === chart.length) {
    return [wrong('Jackstay is not installed here', 'see docs/guide/install.md')]
  }
  return [
    ...found,
    ...missing.map(({ name, file }) => wrong(`${name} is missing`, again(place, file))),
  ]
}

// another version's file would mend one thing and break the next
function again({ folder }: Place, file: string): string {
  return `kubectl apply --server-side --force-conflicts -f ${join(folder, file)}`
}

async function compared(
  { ref, name, file, object }: Wanted,
  place: Place,
): Promise<'well' | 'missing' | Finding> {
  const { client, signal, folder } = place
  try {
    const why = deviation(object, await client.get(ref, { signal }))
    if (why === undefined) return 'well'
    // an apply leaves alone what others have added, and a replace takes labels of others away
    const next =
      ref.resource === 'namespaces'
        ? again(place, file)
        : `kubectl replace -f ${join(folder, file)}`
    return wrong(`${name} is not what the chart says: ${why}`, next)
  } catch (error) {
    switch (statusOf(error)?.code) {
      case 404:
        return 'missing'
      case 403:
        return unseen('get', ref)
      default:
        throw error
    }
  }
}

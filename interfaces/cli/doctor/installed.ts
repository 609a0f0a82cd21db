import { join } from 'node:path'
import { type KubeClient, statusOf } from '@jackstay/kube/client'
import type { Wanted } from './chart.ts'
import { deviation } from './deviation.ts'
import { type Finding, wrong } from './findings.ts'

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
  const worker = async () => {
    for (const wanted of left) found.push(...(await standing(wanted, place)))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return found
}

async function standing(
  { ref, name, file, object }: Wanted,
  { client, signal, folder }: Place,
): Promise<Finding[]> {
  // another version's file would mend one thing and break the next
  const path = join(folder, file)
  const again = `kubectl apply --server-side --force-conflicts -f ${path}`
  try {
    const why = deviation(object, await client.get(ref, { signal }))
    if (why === undefined) return []
    // an apply leaves alone what others have added, and a replace takes labels of others away
    const next = ref.resource === 'namespaces' ? again : `kubectl replace -f ${path}`
    return [wrong(`${name} is not what the chart says: ${why}`, next)]
  } catch (error) {
    switch (statusOf(error)?.code) {
      case 404:
        return [wrong(`${name} is missing`, again)]
      case 403:
        return [unseen(`${name} could not be read: you may not`, 'get')]
      default:
        throw error
    }
  }
}

export function unseen(what: string, verb: string): Finding {
  return { severity: 'unseen', what, next: `ask for the right to ${verb} it, or ask who has it` }
}

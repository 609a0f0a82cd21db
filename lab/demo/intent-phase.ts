import { setTimeout as sleep } from 'node:timers/promises'
import { intentObject } from '@jackstay/contract/kinds/intent-object'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { terminalPhases } from '@jackstay/contract/phases'
import type { Stage } from './stage.ts'

const ends: ReadonlySet<string> = new Set(terminalPhases)
const pauseMs = 250

export function isEnd(phase: string): boolean {
  return ends.has(phase)
}

/** Empty where there is no such intent. */
export async function phaseOf({ ground, signal }: Stage, id: string): Promise<string> {
  const resource = { apiVersion: groupVersion, resource: intentObject.plural }
  const { items } = await ground.install.client.list(resource, {
    fieldSelector: `metadata.name=${id}`,
    signal,
  })
  const { phase = '' } = Object(items[0]?.status)
  return String(phase)
}

/** Resolves with the first phase that holds. */
export async function untilPhase(
  stage: Stage,
  id: string,
  holds: (phase: string) => boolean,
): Promise<string> {
  for (;;) {
    const phase = await phaseOf(stage, id)
    if (holds(phase)) return phase
    await sleep(pauseMs, undefined, { signal: stage.signal })
  }
}

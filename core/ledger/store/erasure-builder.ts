import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RetentionPolicy } from './retention.ts'
import type { NewLeaf, Store } from './store.ts'
import { anAppend } from './store-builder.ts'

/** Builders for tests of erasure: intents that say secrets, and a look into the files underneath. */

export const day = 24 * 3600_000
export const because = { reason: 'somebody asked', by: 'alice' }

export const policy: RetentionPolicy = {
  version: 1,
  keep: {
    ...{ refusal: '10d', decision: '100d', approval: '100d', dispatch: '100d', outcome: '100d' },
    ...{ suspension: '100d', redaction: '100d', hold: '100d', prune: '100d' },
    ...{ recovery: '100d', rotation: '100d' },
  },
}

interface Told {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly secret?: string
  readonly outcome?: string
  readonly agent?: string
  readonly namespace?: string
  readonly terminal?: boolean
}

/** A decision as the mediator writes it, with a secret in every place that has one. */
export function decision({ at, secret = 'x', outcome = 'refused/denied' }: Told): NewLeaf {
  return {
    kind: 'decision',
    data: { time: new Date(at).toISOString(), data: { outcome } },
    sealed: { reasoning: `because ${secret}`, params: { value: secret } },
  }
}

/** An intent with one leaf, which ends at once unless told otherwise. */
export async function intent(store: Store, intentId: string, told: Told): Promise<number> {
  const { at, secret = 'x', agent = 'shop/agent', namespace = 'shop', terminal = true } = told
  const data = {
    claims: { params: { value: secret }, action: 'a' },
    jws: `x.${secret}.y`,
    reasoning: { summary: `because ${secret}` },
    trigger: { id: `t-${intentId}`, labels: { a: secret }, annotations: {}, groupKey: secret },
  }
  const { leafIndexes } = await store.append(
    anAppend({
      intentId,
      events: [
        { type: 'authenticated', at: new Date(at).toISOString(), data },
        { type: 'ended', at: new Date(at).toISOString(), data: { message: `no ${secret}` } },
      ],
      leaves: [decision(told)],
      phase: terminal ? 'refused' : 'approve',
      terminal,
      index: { agent, namespace },
    }),
  )
  const [index] = leafIndexes
  assert.ok(index !== undefined)
  return index
}

/** Which of these texts stand in any file of the data directory. */
export async function found(directory: string, texts: readonly string[]): Promise<string[]> {
  const names = await readdir(directory)
  const files = await Promise.all(names.map((name) => readFile(join(directory, name))))
  return texts.filter((text) => files.some((file) => file.includes(text)))
}

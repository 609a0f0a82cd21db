import { setTimeout as later } from 'node:timers/promises'
import { JackstayError } from '@jackstay/contract/errors'
import { ledgerKeyFrom } from '../log/key.ts'
import { openStore } from '../store/store.ts'
import { anAppend, origin } from '../store/store-builder.ts'

/**
 * One of several programs on one log, for the test of replicas: some of its writers have intents of
 * their own, others fight with those of the other programs for the same ones. Each acknowledged
 * append is printed as `<intent> <seq> <leaf> .` only once the store said it is durable.
 */
const [url = '', schema = '', skey = '', run = ''] = process.argv.slice(2)
const store = await openStore({ url, schema, origin, key: ledgerKeyFrom(skey) })

async function append(intentId: string, expectedSeq: number, fence?: number): Promise<void> {
  const { leafIndexes } = await store.append(
    anAppend({
      ...{ intentId, expectedSeq, ...(fence !== undefined && { fence }) },
      leaves: [{ kind: 'decision', data: `${intentId} ${expectedSeq + 1}` }],
    }),
  )
  process.stdout.write(`${intentId} ${expectedSeq + 1} ${leafIndexes.join()} .\n`)
}

async function alone(name: string): Promise<never> {
  for (let seq = 0; ; seq++) await append(name, seq)
}

/** Under a claim, as the mediator works: what the claim let it read is where it goes on. */
async function contend(name: string): Promise<never> {
  for (;;) {
    const claim = await store.claim(name, run, 400)
    if (claim === undefined) await later(1)
    else await step(name, claim.fence)
  }
}

async function step(name: string, fence: number): Promise<void> {
  const { length } = await store.events(name)
  try {
    await append(name, length, fence)
  } catch (error) {
    // Only a claim that ran out may be told so; then somebody else goes on.
    if (!(error instanceof JackstayError && error.code === 'intent_conflict')) throw error
  }
  await store.release(name, fence)
}

await Promise.all([
  ...Array.from({ length: 4 }, (_, i) => alone(`${run}-${i}`)),
  ...['shared-0', 'shared-1'].map(contend),
])

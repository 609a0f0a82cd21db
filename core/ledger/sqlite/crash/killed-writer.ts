import { setTimeout as later } from 'node:timers/promises'
import { ledgerKeyFrom } from '../../log/key.ts'
import { openStore } from '../../store/store.ts'
import { anAppend, origin } from '../../store/store-builder.ts'

/**
 * The victim of the crash test: appends from several writers until it is killed, and prints each
 * acknowledged append as `<intent> <seq> <leaf> .` only once the store said it is durable.
 */
const [directory = '', skey = '', run = ''] = process.argv.slice(2)
const store = await openStore({ directory, origin, key: ledgerKeyFrom(skey), clock: Date })

async function writer(name: string): Promise<void> {
  for (let seq = 0; ; seq++) {
    const { leafIndexes } = await store.append(
      anAppend({
        intentId: name,
        expectedSeq: seq,
        leaves: [{ kind: 'decision', data: `${name} ${seq + 1}` }],
      }),
    )
    process.stdout.write(`${name} ${seq + 1} ${leafIndexes.join()} .\n`)
    if (seq % 16 === 0) await later(0)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, i) => writer(`${run}-${i}`)))

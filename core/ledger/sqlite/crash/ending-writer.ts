import { ledgerKeyFrom } from '../../log/key.ts'
import { openStore } from '../../store/store.ts'

/** Writes leaves until its disk fails a sync; prints each that was acknowledged. */
const [directory = '', skey = ''] = process.argv.slice(2)
const key = ledgerKeyFrom(skey)
const store = await openStore({ directory, origin: key.name, key, clock: Date })
for (let n = 0; ; n++) {
  const { leafIndexes } = await store.appendLeaves([{ kind: 'decision', data: n }])
  process.stdout.write(`${leafIndexes.join()}\n`)
}

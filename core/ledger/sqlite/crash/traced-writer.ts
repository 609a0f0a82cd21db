import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ledgerKeyFrom } from '../../log/key.ts'
import { live } from './workload.ts'

/**
 * The program whose writes are recorded: two lives of one store. What the store acknowledges goes
 * to a file beside it, so that the record says when.
 */
const [directory = '', skey = ''] = process.argv.slice(2)
const acknowledged = openSync(join(directory, 'acknowledged'), 'w')
const fatal = (error: Error) => {
  throw error
}
for (const name of ['first', 'second']) {
  await live({ directory, key: ledgerKeyFrom(skey), fatal }, name, (what) =>
    writeSync(acknowledged, `${JSON.stringify(what)}\n`),
  )
}

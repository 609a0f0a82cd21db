import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { z } from 'zod'
import { replaceDurably } from '../store/durable-file.ts'

/** In a data directory whose log was given up: names the one that followed. */
const fileName = 'superseded.json'

const successor = z.strictObject({
  origin: z.string(),
  /** The data directory of the log that followed, as it was called then. */
  by: z.string(),
  /** Of the log that followed, where a database holds both. */
  schema: z.string().optional(),
  /** Whether that directory had its place: until then the recovery may be done again. */
  done: z.boolean(),
})
export type Successor = z.infer<typeof successor>

export function readSuccessor(text: string): Successor {
  return successor.parse(JSON.parse(text))
}

/** The log that has followed the one in this data directory, where a recovery gave it up. */
export async function successorOf(directory: string): Promise<Successor | undefined> {
  const path = join(directory, fileName)
  if (!existsSync(path)) return undefined
  return readSuccessor(await readFile(path, 'utf8'))
}

/** @throws JackstayError `ledger_damaged` where another log has followed this one */
export async function assertNotSuperseded(directory: string): Promise<void> {
  const next = await successorOf(directory)
  if (next === undefined) return
  throw new JackstayError(
    'ledger_damaged',
    `the ledger in \`${directory}\` was given up: \`${next.origin}\` in \`${next.by}\` has followed it, use that one`,
  )
}

export async function markSuperseded(directory: string, by: Successor): Promise<void> {
  await replaceDurably(join(directory, fileName), `${JSON.stringify(by)}\n`)
}

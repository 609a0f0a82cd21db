import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { generateSkey, type LedgerKey } from '../log/key.ts'
import { rotationNote } from '../log/succession.ts'
import { syncDirectory } from '../store/durable-file.ts'
import { type LedgerPlace, openLedger } from '../store/place.ts'
import type { Clock } from '../store/store.ts'
import { keyName, loadKey, writeKey } from './key-file.ts'
import { logHome } from './log-home.ts'
import { lockRotation, nextKeyName, settle } from './rotation-file.ts'

export interface RotateOptions {
  readonly place: LedgerPlace
  readonly reason: string
  /** Who does it, as it should stand in the log. */
  readonly by: string
  readonly clock: Clock
}

export interface Rotated {
  readonly origin: string
  readonly vkey: string
  /** The key it had before, which is destroyed. */
  readonly formerVkey: string
  /** Where the rotation stands in the log. */
  readonly leaf: number
  /** Signed by both keys. */
  readonly checkpoint: string
}

/**
 * Gives the log another key: a leaf in which the old key names the new one, then a checkpoint that
 * both have signed, from then on the new one alone. The old private key is gone afterwards. A crash
 * leaves one of the two in force, never none.
 * @throws JackstayError `not_ready` while another process writes, and what `openStore` throws
 */
export async function rotateKey(options: RotateOptions): Promise<Rotated> {
  const lock = await lockRotation(options.place.dataDir)
  try {
    return await rotate(options)
  } finally {
    lock.close()
  }
}

async function rotate(options: RotateOptions): Promise<Rotated> {
  const { place, reason, by, clock } = options
  const { dataDir } = place
  await settle(place)
  const old = await loadKey(dataDir)
  const { name: origin } = old
  await writeKey(dataDir, nextKeyName, generateSkey(origin))
  await syncDirectory(dataDir)
  const next = await loadKey(dataDir, nextKeyName)
  const leaf = await appendRotation(options, old, {
    time: new Date(clock.now()).toISOString(),
    ...{ from: old.vkey, to: next.vkey, reason, by, note: rotationNote(old, next) },
  })
  const home = await logHome(place)
  let checkpoint: string
  {
    await using _ = await home.lock()
    checkpoint = await home.handOver(old, next)
  }
  await rename(join(dataDir, nextKeyName), join(dataDir, keyName))
  await syncDirectory(dataDir)
  return { origin, vkey: next.vkey, formerVkey: old.vkey, leaf, checkpoint }
}

async function appendRotation(
  { place, clock }: RotateOptions,
  key: LedgerKey,
  data: { readonly [key: string]: string },
): Promise<number> {
  const store = await openLedger(place, key, clock, { leads: true })
  try {
    const { leafIndexes } = await store.appendLeaves([{ kind: 'rotation', data }])
    return leafIndexes[0] ?? 0
  } finally {
    await store.close()
  }
}

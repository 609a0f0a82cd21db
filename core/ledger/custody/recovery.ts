import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { type Checkpoint, openCheckpoint } from '../log/checkpoint.ts'
import { generateSkey, type LedgerKey, ledgerKeyFrom } from '../log/key.ts'
import { verifierFromVkey } from '../log/note.ts'
import { nextOrigin } from '../log/origin.ts'
import { recoveryNote } from '../log/succession.ts'
import { type LedgerVerdict, verifyLedger } from '../log/verify.ts'
import { databaseName, lockDirectory, openReadOnly } from '../sqlite/database.ts'
import { storeReader } from '../sqlite/reader.ts'
import { syncDirectory } from '../store/durable-file.ts'
import { timeOf } from '../store/retention.ts'
import { text } from '../store/rows.ts'
import { type Clock, openStore, type Store } from '../store/store.ts'
import { readWitnessed } from '../witness/witnessing.ts'
import { keyName, loadKey, writeKey } from './key-file.ts'
import { assertNotSuperseded, markSuperseded, successorOf } from './superseded.ts'

export interface RecoverOptions {
  /** The data directory of the log that is given up. It stays as it is, as evidence. */
  readonly directory: string
  /** The data directory of the log that follows: must not exist. */
  readonly to: string
  readonly reason: string
  readonly by: string
  readonly clock: Clock
  /** The last checkpoint that somebody outside has: a signed note. */
  readonly checkpoint?: string
  /** The verifier key of the log that is given up, where its key file is lost. */
  readonly vkey?: string
  /** Begin a new log although nothing is wrong with the old one. */
  readonly evenIfSound?: boolean
}

/** Somebody gave it, witnesses had cosigned it, or the damaged store says so itself. */
export type CheckpointFrom = 'outside' | 'witnesses' | 'itself'

export interface Recovered {
  readonly origin: string
  readonly vkey: string
  readonly previous: {
    readonly origin: string
    readonly vkey: string
    readonly size: number
    readonly root: string
    readonly checkpointFrom: CheckpointFrom
  }
  /** What is wrong with the old log, in words. */
  readonly found: string
  /** Intents that had not ended, as far as the old store can be read. */
  readonly underWay: readonly string[]
}

/**
 * Begins a new log where the old one is lost, cut or rewritten: another origin and another key, and
 * a first leaf that names the last checkpoint anybody has of the old log, what was found, and why.
 * Where the old key is still there it signs the new one, so that its holders can follow. Nothing of
 * the old directory is changed but a mark that keeps it from being written to again.
 * @throws JackstayError `invalid_request` for a log that verifies, a folder in use, or where no
 * checkpoint can be had; `not_ready` while another process writes
 */
export async function recoverLog(options: RecoverOptions): Promise<Recovered> {
  const { directory, to } = options
  if (existsSync(to)) {
    throw new JackstayError('invalid_request', `\`${to}\` exists; name a new data directory`)
  }
  const lock = await lockDirectory(directory)
  try {
    // under the lock: of two at once the second one sees what the first did
    await assertFirst(directory)
    const old = await oldKeys(options)
    const last = await lastCheckpoint(options, old.vkey)
    const found = await damageOf(options, old.vkey, last)
    return await begin(options, { ...old, ...last, found })
  } finally {
    lock.close()
  }
}

/** When a recovery began this log, milliseconds since the epoch; 0 for any other log. */
export async function recoveredAt(store: Pick<Store, 'leaf'>): Promise<number> {
  const first = await store.leaf(0)
  if (first?.kind !== 'recovery') return 0
  const at = timeOf(first)
  if (at !== undefined) return at
  throw new JackstayError(
    'ledger_damaged',
    'the leaf that begins the log does not say when; keep a copy and restore a backup',
  )
}

/** A recovery that was cut short after its mark may be done again; a second one may not. */
async function assertFirst(directory: string): Promise<void> {
  const next = await successorOf(directory)
  if (next?.done || (next && existsSync(next.by))) await assertNotSuperseded(directory)
}

interface OldKeys {
  readonly vkey: string
  readonly key: LedgerKey | undefined
}

async function oldKeys({ directory, vkey }: RecoverOptions): Promise<OldKeys> {
  const key = existsSync(join(directory, keyName)) ? await loadKey(directory) : undefined
  if (key !== undefined && (vkey === undefined || vkey === key.vkey)) {
    return { vkey: key.vkey, key }
  }
  if (vkey !== undefined) return { vkey, key: undefined }
  throw new JackstayError(
    'invalid_request',
    `\`${directory}\` holds no key: give the verifier key of the log with --key`,
  )
}

interface Last {
  readonly note: string
  readonly checkpoint: Checkpoint
  readonly checkpointFrom: CheckpointFrom
}

/** The largest that anybody outside vouches for; the store's own word only where there is none. */
async function lastCheckpoint(
  { directory, checkpoint: given }: RecoverOptions,
  vkey: string,
): Promise<Last> {
  const outside = given === undefined ? undefined : opened(given, 'outside', vkey)
  const kept = await readWitnessed(directory)
  const cosigned = kept === undefined ? undefined : opened(kept, 'witnesses', vkey)
  if (outside !== undefined || cosigned !== undefined) {
    const larger = (cosigned?.checkpoint.size ?? -1) > (outside?.checkpoint.size ?? -1)
    const last = larger ? cosigned : outside
    if (last !== undefined) return last
  }
  const own = await ownCheckpoint(directory)
  if (own !== undefined) return opened(own, 'itself', vkey)
  throw new JackstayError(
    'invalid_request',
    'the store has no readable checkpoint: give the last one kept elsewhere with --checkpoint',
  )
}

function opened(note: string, checkpointFrom: CheckpointFrom, vkey: string): Last {
  const read = openCheckpoint(note, verifierFromVkey(vkey))
  if (read.ok) return { note, checkpoint: read.checkpoint, checkpointFrom }
  throw new JackstayError(
    'invalid_request',
    `the checkpoint is not one of this log: ${read.problem}; give another with --checkpoint`,
  )
}

/** Undefined where the store cannot be read: that is what a recovery is for. */
async function ownCheckpoint(directory: string): Promise<string | undefined> {
  return readable(directory, (read) => read.checkpoint(), undefined)
}

/** What `verifyLedger` says of the old log, in words. */
async function damageOf(
  { directory, evenIfSound = false }: RecoverOptions,
  vkey: string,
  { note, checkpointFrom }: Last,
): Promise<string> {
  const unreadable = {
    ok: false,
    problem: 'checkpoint_missing',
    message: 'the store cannot be read',
  } as const
  const verdict = await readable<LedgerVerdict>(
    directory,
    (read) =>
      verifyLedger({
        read,
        vkey,
        ...(checkpointFrom !== 'itself' && { knownCheckpoint: note }),
      }),
    unreadable,
  )
  if (!verdict.ok) {
    const at = verdict.index === undefined ? '' : ` (leaf ${verdict.index})`
    return `${verdict.problem}${at}: ${verdict.message}`
  }
  if (evenIfSound) return 'nothing: the log verifies'
  throw new JackstayError(
    'invalid_request',
    `the log verifies up to ${verdict.size} leaves, so there is nothing to recover from; a checkpoint kept elsewhere (--checkpoint) shows whether it was rolled back`,
  )
}

async function readable<T>(
  directory: string,
  use: (read: ReturnType<typeof storeReader>) => Promise<T>,
  otherwise: T,
): Promise<T> {
  if (!existsSync(join(directory, databaseName))) return otherwise
  let read: ReturnType<typeof storeReader> | undefined
  try {
    read = storeReader(directory)
    return await use(read)
  } catch (error) {
    // a store so damaged that SQLite gives up on it says nothing more, and that is the finding
    if (isDamage(error)) return otherwise
    throw error
  } finally {
    read?.close()
  }
}

async function begin(
  options: RecoverOptions,
  old: OldKeys & Last & { readonly found: string },
): Promise<Recovered> {
  const { directory, to, reason, by, clock } = options
  const oldOrigin = verifierFromVkey(old.vkey).name
  const origin = nextOrigin(oldOrigin)
  const place = resolve(to)
  await mkdir(dirname(place), { recursive: true })
  const partial = await mkdtemp(`${place}.unfinished-`)
  const skey = generateSkey(origin)
  const next = ledgerKeyFrom(skey)
  const { size, root: bytes } = old.checkpoint
  const root = Buffer.from(bytes).toString('base64')
  const { vkey, checkpointFrom } = old
  const previous = { origin: oldOrigin, vkey, size, root, checkpointFrom }
  const store = await openNew(partial, skey, clock)
  try {
    const time = new Date(clock.now()).toISOString()
    const note = old.key === undefined ? {} : { note: recoveryNote(old.key, next, { size, root }) }
    const data = { time, by, reason, found: old.found, previous, checkpoint: old.note, ...note }
    await store.appendLeaves([{ kind: 'recovery', data }])
  } finally {
    await store.close()
  }
  // the old log is closed first: two that both could be written to would be worse than none
  await markSuperseded(directory, { origin, by: place, done: false })
  await rename(partial, place)
  // its leaves are acknowledged from now on, so its name has to outlast a power cut
  await syncDirectory(dirname(place))
  await markSuperseded(directory, { origin, by: place, done: true })
  return { origin, vkey: next.vkey, previous, found: old.found, underWay: underWay(directory) }
}

async function openNew(directory: string, skey: string, clock: Clock) {
  await writeKey(directory, keyName, skey)
  await syncDirectory(directory)
  const key = ledgerKeyFrom(skey)
  return openStore({ directory, origin: key.name, key, clock })
}

function underWay(directory: string): readonly string[] {
  if (!existsSync(join(directory, databaseName))) return []
  try {
    const db = openReadOnly(directory)
    const rows = db.prepare('SELECT id FROM intents WHERE terminal = 0 ORDER BY ordinal').all()
    db.close()
    return rows.map((row) => text(row, 'id'))
  } catch (error) {
    if (isDamage(error)) return []
    throw error
  }
}

/** A disk or a mode that keeps us from reading is no finding about the log. */
function isDamage(error: unknown): boolean {
  if (error instanceof JackstayError) return error.code === 'ledger_damaged'
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}

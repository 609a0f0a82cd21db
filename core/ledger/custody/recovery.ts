import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { type Checkpoint, openCheckpoint, readCheckpoint } from '../log/checkpoint.ts'
import { generateSkey, type LedgerKey, ledgerKeyFrom } from '../log/key.ts'
import { splitNote, verifierFromVkey } from '../log/note.ts'
import { nextOrigin } from '../log/origin.ts'
import { recoveryNote } from '../log/succession.ts'
import { verifyLedger } from '../log/verify.ts'
import { syncDirectory } from '../store/durable-file.ts'
import { type LedgerPlace, openLedger } from '../store/place.ts'
import { timeOf } from '../store/retention.ts'
import type { Clock, Store } from '../store/store.ts'
import type { Anchor } from '../witness/anchor.ts'
import { openAnchoring } from '../witness/anchoring.ts'
import { readWitnessed } from '../witness/witnessing.ts'
import { assertNotFollowed, keptOutside } from './kept-outside.ts'
import { keyName, loadKey, writeKey } from './key-file.ts'
import { type LogHome, logHome } from './log-home.ts'
import type { Successor } from './superseded.ts'

export interface RecoverOptions {
  /** Where the log lies that is given up. It stays as it is, as evidence. */
  readonly place: LedgerPlace
  /** Where the log that follows is to lie: neither its data directory nor its schema may exist. */
  readonly to: LedgerPlace
  readonly reason: string
  readonly by: string
  readonly clock: Clock
  /** The last checkpoint that somebody outside has: a signed note. */
  readonly checkpoint?: string
  /** The verifier key of the log that is given up, where its key file is lost. */
  readonly vkey?: string
  /** Places that keep checkpoints: they know whether a copy of this log was given up elsewhere. */
  readonly anchors?: readonly Anchor[]
  /** Ends what the anchors are asked. */
  readonly signal?: AbortSignal
  /** Begin a new log although nothing is wrong with the old one. */
  readonly evenIfSound?: boolean
}

/** Somebody gave it or an anchor keeps it, witnesses had cosigned it, or the damaged store says so itself. */
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
  /** The anchors, and what was wrong with those that did not take the first checkpoint of the new log. */
  readonly anchors: readonly { readonly name: string; readonly problem?: string }[]
}

/**
 * Begins a new log where the old one is lost, cut or rewritten: another origin and another key, and
 * a first leaf that names the last checkpoint anybody has of the old log, what was found, and why.
 * Where the old key is still there it signs the new one, so that its holders can follow. Nothing of
 * the old directory is changed but a mark that keeps it from being written to again.
 * @throws JackstayError `invalid_request` for a log that verifies, a folder in use, or where no
 * checkpoint can be had; `not_ready` while another process writes; `ledger_damaged` where another log
 * has followed, here or as far as the anchors know
 */
export async function recoverLog(options: RecoverOptions): Promise<Recovered> {
  const { place, to } = options
  if (existsSync(to.dataDir)) {
    throw new JackstayError(
      'invalid_request',
      `\`${to.dataDir}\` exists; name a new data directory`,
    )
  }
  if ((await (await logHome(to)).signedWith()) !== undefined) {
    throw new JackstayError(
      'invalid_request',
      `the schema \`${to.ledgerSchema}\` holds a ledger; name a new one`,
    )
  }
  const home = await logHome(place)
  await using _ = await home.lock()
  // under the lock: of two at once the second one sees what the first did
  await assertFirst(home, options)
  const seen = await home.read((read) => read.checkpoint())
  const old = await oldKeys(options)
  const kept = await keptOutside(options.anchors ?? [], home, old.vkey, signalOf(options))
  const last = await lastCheckpoint(options, [options.checkpoint, kept], home, old.vkey)
  const found = await damageOf(options, home, { vkey: old.vkey, last })
  return await begin(options, home, { ...old, ...last, found, seen })
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

function signalOf({ signal }: RecoverOptions): AbortSignal {
  return signal ?? AbortSignal.timeout(120_000)
}

/** A recovery that was cut short after its mark may be done again; a second one may not. */
async function assertFirst(home: LogHome, options: RecoverOptions): Promise<void> {
  const next = await home.successor()
  if (next === undefined) return
  if (!next.done && !existsSync(next.by) && (await isClosed(next, options))) return
  throw new JackstayError(
    'ledger_damaged',
    `the ledger was given up: \`${next.origin}\` in \`${next.by}\` has followed it, use that one`,
  )
}

/**
 * A database shows one that was cut short to every machine, its directory only to the one it was begun on:
 * what lies in its schema is closed before another begins, so that only one of both can ever be written to.
 * @returns false where it is in use
 */
async function isClosed(next: Successor, { place, to }: RecoverOptions): Promise<boolean> {
  if (next.schema === undefined) return true
  const attempt = await logHome({ ...place, ledgerSchema: next.schema })
  if ((await attempt.signedWith()) === undefined) return true
  await using _ = await attempt.lock()
  const note = await attempt.read((read) => read.checkpoint())
  const read = readCheckpoint(splitNote(note ?? '')?.text ?? '')
  // its first leaf is the recovery's own
  if (!read.ok || read.checkpoint.size > 1) return false
  await attempt.giveUp({ origin: next.origin, by: resolve(to.dataDir), done: false }, note)
  return true
}

interface OldKeys {
  readonly vkey: string
  readonly key: LedgerKey | undefined
}

async function oldKeys({ place, vkey }: RecoverOptions): Promise<OldKeys> {
  const { dataDir: directory } = place
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
  { place }: RecoverOptions,
  given: readonly (string | undefined)[],
  home: LogHome,
  vkey: string,
): Promise<Last> {
  const notes = given.filter((note) => note !== undefined)
  const kept = await readWitnessed(place.dataDir)
  const known = [
    ...notes.map((note) => opened(note, 'outside', vkey)),
    ...(kept === undefined ? [] : [opened(kept, 'witnesses', vkey)]),
  ]
  const [last] = known.sort((a, b) => b.checkpoint.size - a.checkpoint.size)
  if (last !== undefined) return last
  // undefined also where the store cannot be read: that is what a recovery is for
  const own = await home.read((read) => read.checkpoint())
  if (own !== undefined) return opened(own, 'itself', vkey)
  throw new JackstayError(
    'invalid_request',
    'the store has no readable checkpoint: give the last one kept elsewhere with --checkpoint',
  )
}

function opened(note: string, checkpointFrom: CheckpointFrom, vkey: string): Last {
  if (checkpointFrom === 'outside') assertNotFollowed({ name: '--checkpoint' }, note, vkey)
  const read = openCheckpoint(note, verifierFromVkey(vkey))
  if (read.ok) return { note, checkpoint: read.checkpoint, checkpointFrom }
  throw new JackstayError(
    'invalid_request',
    `the checkpoint is not one of this log: ${read.problem}; give another with --checkpoint`,
  )
}

/** What `verifyLedger` says of the old log, in words. */
async function damageOf(
  { evenIfSound = false }: RecoverOptions,
  home: LogHome,
  { vkey, last: { note, checkpointFrom } }: { readonly vkey: string; readonly last: Last },
): Promise<string> {
  const known = checkpointFrom === 'itself' ? {} : { knownCheckpoint: note }
  const verdict = await home.read((read) => verifyLedger({ read, vkey, ...known }))
  if (verdict === undefined) return 'checkpoint_missing: the store cannot be read'
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

async function begin(
  options: RecoverOptions,
  home: LogHome,
  old: OldKeys & Last & { readonly found: string; readonly seen: string | undefined },
): Promise<Recovered> {
  const { to, reason, by, clock } = options
  const oldOrigin = verifierFromVkey(old.vkey).name
  const origin = nextOrigin(oldOrigin)
  const dataDir = resolve(to.dataDir)
  await mkdir(dirname(dataDir), { recursive: true })
  const partial = await mkdtemp(`${dataDir}.unfinished-`)
  const skey = generateSkey(origin)
  const next = ledgerKeyFrom(skey)
  const { size, root: bytes } = old.checkpoint
  const root = Buffer.from(bytes).toString('base64')
  const { vkey, checkpointFrom } = old
  const previous = { origin: oldOrigin, vkey, size, root, checkpointFrom }
  const store = await openNew({ ...to, dataDir: partial }, skey, clock)
  let first = ''
  try {
    const time = new Date(clock.now()).toISOString()
    const note = old.key === undefined ? {} : { note: recoveryNote(old.key, next, { size, root }) }
    const data = { time, by, reason, found: old.found, previous, checkpoint: old.note, ...note }
    await store.appendLeaves([{ kind: 'recovery', data }])
    first = await store.checkpoint()
  } finally {
    await store.close()
  }
  // the old log is closed first: two that both could be written to would be worse than none
  const schema = to.ledgerUrlFile === undefined ? {} : { schema: to.ledgerSchema }
  const successor = { origin, by: dataDir, ...schema }
  await home.giveUp({ ...successor, done: false }, old.seen)
  await rename(partial, dataDir)
  // its leaves are acknowledged from now on, so its name has to outlast a power cut
  await syncDirectory(dirname(dataDir))
  await home.giveUp({ ...successor, done: true }, old.seen)
  const underWay = await home.underWay()
  const anchors = await shownTo(options, first)
  return { origin, vkey: next.vkey, previous, found: old.found, underWay, anchors }
}

/** From then on no copy of the old log is given up again, nor does a mediator start on another log of this name. */
async function shownTo(options: RecoverOptions, note: string): Promise<Recovered['anchors']> {
  const { anchors = [], to, clock } = options
  const anchoring = await openAnchoring(anchors, to.dataDir, clock)
  const states = await anchoring.push(note, signalOf(options))
  return states.map(({ name, error }) => ({ name, ...(error && { problem: error.message }) }))
}

async function openNew(place: LedgerPlace, skey: string, clock: Clock): Promise<Store> {
  await writeKey(place.dataDir, keyName, skey)
  await syncDirectory(place.dataDir)
  return openLedger(place, ledgerKeyFrom(skey), clock)
}

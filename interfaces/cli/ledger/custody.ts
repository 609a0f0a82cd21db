import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertNever } from '@jackstay/contract/errors'
import { backupStore } from '@jackstay/ledger/backup'
import { loadKey } from '@jackstay/ledger/key-file'
import { anchorsOf, loadLedgerPolicy } from '@jackstay/ledger/ledger-policy'
import type { LedgerPlace } from '@jackstay/ledger/place'
import { type CheckpointFrom, type Recovered, recoverLog } from '@jackstay/ledger/recovery'
import { type Rotated, rotateKey } from '@jackstay/ledger/rotation'
import { assertAskable, confirmed } from '../confirm.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import { progressOf } from '../progress.ts'
import { type Line, styled, typed } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import type { Deed } from './deed.ts'
import { type Place, placeOf } from './place.ts'
import { assertDataDirectory, assertFolder, readKey, readText } from './source.ts'

export interface BackupRequest {
  readonly data: string
  /** The folder to make. */
  readonly out: string
  readonly key?: string | undefined
  readonly withKey: boolean
  readonly json: boolean
}

/** Copies a data directory and verifies the copy. @throws CommandFailed exit code 5 when it does not */
export async function backup(request: BackupRequest, terminal: Terminal): Promise<void> {
  const { data, out, withKey, json } = request
  assertDataDirectory(data)
  const vkey = request.key === undefined ? (await loadKey(data)).vkey : await readKey(request.key)
  const onProgress = progressOf(terminal, 'pages copied')
  const verdict = await backupStore({ directory: data, to: out, vkey, withKey, onProgress })
  if (json) printData(terminal, { folder: out, vkey, withKey, ...verdict })
  if (!verdict.ok) {
    throw new CommandFailed(
      exitCodes.ledger,
      verdict.problem,
      `the copy in \`${out}\` does not verify, and so does the ledger: ${verdict.message}`,
    )
  }
  if (json) return
  print(terminal, [
    [styled('green', 'copied'), ` ${verdict.size} leaves into ${out}; the copy verifies`],
    [
      withKey
        ? styled('yellow', 'it holds the signing key: keep it as you keep that')
        : `it holds no key: keep ledger.key of ${data} elsewhere, a restored log cannot go on without it`,
    ],
    ['keep this checkpoint away from both, it shows a rollback:'],
    ...verdict.checkpoint
      .trimEnd()
      .split('\n')
      .map((line): Line => [`  ${line}`]),
  ])
}

export interface RecoverRequest extends Deed, Place {
  /** The data directory of the new log. */
  readonly out: string
  /** Its schema, where a database holds the log. */
  readonly outSchema?: string | undefined
  /** A file with the last checkpoint that was kept elsewhere. */
  readonly checkpoint?: string | undefined
  /** A ledger policy, whose anchors are asked and told. */
  readonly policy?: string | undefined
  readonly key?: string | undefined
  readonly evenIfSound: boolean
}

/** Begins a new log where the old one is lost. */
export async function recover(request: RecoverRequest, terminal: Terminal): Promise<void> {
  const { data, out, reason, by, yes, json, evenIfSound } = request
  const to = placeOfNew(request)
  assertHome(request)
  if (!yes) {
    assertAskable(terminal, json)
    const question = `Give up the log in ${data} for good and begin another one in ${out}?`
    await confirmed(terminal, question)
  }
  const { checkpoint, key, policy } = request
  // what the anchors need of their own lies neither in the old directory, which stays as it is, nor in the new one
  await using workspace = await mkdtempDisposable(join(tmpdir(), 'jackstay-anchors-'))
  const anchors =
    policy === undefined
      ? []
      : anchorsOf(await loadLedgerPolicy(policy), workspace.path, { clock: Date, fetch })
  const done = await recoverLog({
    ...{ place: placeOf(request), to, reason, by, clock: Date, evenIfSound },
    ...{ anchors, signal: terminal.signal },
    ...(checkpoint !== undefined && { checkpoint: await readText(checkpoint) }),
    ...(key !== undefined && { vkey: await readKey(key) }),
  })
  if (json) printData(terminal, { folder: out, ...done })
  else print(terminal, recoveredLines(done, request))
}

/** @throws CommandFailed where a database holds the log and nobody said where the new one goes */
function placeOfNew(request: RecoverRequest): LedgerPlace {
  const { out, outSchema, ledgerUrlFile, ledgerSchema } = request
  if (ledgerUrlFile === undefined) return { dataDir: out, ledgerSchema }
  if (outSchema !== undefined) return { dataDir: out, ledgerUrlFile, ledgerSchema: outSchema }
  throw usageError('name the schema of the new log with --out-schema; the old one stays as it is')
}

/** A database may be all there is: the folder beside it holds only the key, which may be lost. */
function assertHome({ data, ledgerUrlFile }: Place): void {
  if (ledgerUrlFile === undefined) assertDataDirectory(data)
  else assertFolder(data)
}

function recoveredLines(
  done: Recovered,
  { data, out, ledgerUrlFile, ledgerSchema, outSchema }: RecoverRequest,
): Line[] {
  const { origin, vkey, previous, found, underWay, anchors } = done
  const database =
    ledgerUrlFile === undefined
      ? ''
      : ` --ledger-url-file ${ledgerUrlFile} --ledger-schema ${outSchema}`
  const old = ledgerUrlFile === undefined ? data : `${data} and the schema ${ledgerSchema}`
  return [
    [styled('green', 'begun'), ` ${origin} in ${out}`],
    [
      `its first leaf commits to ${previous.size} leaves of ${previous.origin}, root ${previous.root}`,
    ],
    checkpointLine(previous.checkpointFrom),
    [`found: ${found}`],
    ...(anchors.length === 0 ? [unasked] : anchors.map(anchorLine)),
    [`people verify it with the new key: ${vkey}`],
    [`start the mediator with --data-dir ${out}${database}; keep ${old} as evidence`],
    ...(underWay.length === 0
      ? []
      : [
          [styled('yellow', `${underWay.length} intents were under way and do not go on; look at`)],
          ...underWay.slice(0, 20).map((id): Line => [`  ${id}`]),
        ]),
  ]
}

const unasked: Line = [
  styled('yellow', 'no anchor was asked (--policy)'),
  ': see that no copy of the old log is recovered anywhere else',
]

function anchorLine({ name, problem }: Recovered['anchors'][number]): Line {
  return problem === undefined
    ? [`the anchor ${name} keeps its first checkpoint`]
    : [styled('yellow', `the anchor ${name} did not take its first checkpoint`), `: ${problem}`]
}

function checkpointLine(from: CheckpointFrom): Line {
  switch (from) {
    case 'outside':
      return ['that checkpoint is the one you gave, or the newest that an anchor keeps']
    case 'witnesses':
      return ['that checkpoint is the last one that witnesses cosigned']
    case 'itself':
      return [
        styled('yellow', 'that checkpoint is the old store’s own: nobody outside vouches for it'),
      ]
    default:
      return assertNever(from)
  }
}

interface RotateRequest extends Deed, Place {}

/** Gives the log another key. */
export async function rotate(request: RotateRequest, terminal: Terminal): Promise<void> {
  const { data, reason, by, yes, json } = request
  assertDataDirectory(data)
  if (!yes) {
    assertAskable(terminal, json)
    await confirmed(terminal, `Replace the key of the log in ${data}? The old one is destroyed.`)
  }
  const done = await rotateKey({ place: placeOf(request), reason, by, clock: Date })
  if (json) printData(terminal, done)
  else print(terminal, rotatedLines(done))
}

function rotatedLines({ origin, vkey, formerVkey, leaf }: Rotated): Line[] {
  return [
    [styled('green', 'rotated'), ` the key of ${origin}; leaf ${leaf} says so`],
    [`old  ${formerVkey}`],
    [`new  ${vkey}`],
    [
      typed(
        'who holds the old key can follow: `jackstay ledger verify --key OLD` finds the new one in the log',
      ),
    ],
    ['witnesses that know the old key must be given the new one'],
  ]
}

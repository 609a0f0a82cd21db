import { openCheckpoint, openFormerCheckpoint } from './checkpoint.ts'
import { defect, type LedgerDefect } from './ledger-defect.ts'
import { isOfLog, verifierFromVkey } from './note.ts'
import type { Prune } from './prune-cover.ts'
import type { TileReader } from './reader.ts'
import { Recomputation } from './recomputation.ts'

export type { LedgerDefect, LedgerProblem } from './ledger-defect.ts'

export type LedgerVerdict =
  | {
      readonly ok: true
      readonly size: number
      /** Base64, as in the checkpoint. */
      readonly root: string
      /** The verified note. Keep it elsewhere and give it back as `knownCheckpoint` next time. */
      readonly checkpoint: string
      /** The oldest leaf that is still there; below it hash tiles stand for the leaves. */
      readonly minimum: number
      /** The leaf that says why older ones are gone; absent from a log that was never pruned. */
      readonly prune?: Prune
    }
  | LedgerDefect

export interface VerifyOptions {
  readonly read: TileReader
  /** `name+hash+base64`; the name is the log's origin. */
  readonly vkey: string
  /** An earlier checkpoint kept where the log's owner cannot change it. */
  readonly knownCheckpoint?: string
  /** Keys the log had before, whose signature the earlier checkpoint may carry (`followKeys`). */
  readonly formerVkeys?: readonly string[]
}

/**
 * Recomputes a whole log from its entries and compares everything stored with it: each leaf, each
 * tile, the signed root, and an earlier checkpoint. Nothing of the log is believed but what the
 * key signed, and without `knownCheckpoint` the key's owner is believed too: only a checkpoint
 * kept elsewhere shows a log that its owner cut or rewrote.
 * @throws JackstayError `invalid_config` for a malformed `vkey`; errors of the reader pass through.
 */
export async function verifyLedger(options: VerifyOptions): Promise<LedgerVerdict> {
  const { read, vkey, knownCheckpoint, formerVkeys = [] } = options
  const vkeys = [...formerVkeys.filter((former) => isOfLog(former, vkey)), vkey]
  const verifier = verifierFromVkey(vkey)
  const known =
    knownCheckpoint === undefined
      ? undefined
      : openFormerCheckpoint(knownCheckpoint, vkeys.map(verifierFromVkey))
  if (known?.ok === false) return defect('known_checkpoint_invalid', known.problem)
  const note = await read.checkpoint()
  if (note === undefined) return defect('checkpoint_missing', 'the log has no checkpoint')
  const opened = openCheckpoint(note, verifier)
  if (!opened.ok) return defect('checkpoint_invalid', opened.problem)
  const { checkpoint } = opened
  const earlier = known?.checkpoint
  if (earlier !== undefined && earlier.size > checkpoint.size) {
    return defect(
      'truncated',
      `the log has ${checkpoint.size} leaves and had ${earlier.size}`,
      checkpoint.size,
    )
  }
  const recomputation = new Recomputation(read, checkpoint.size, earlier)
  const wrong = await recomputation.run()
  if (wrong !== undefined) return wrong
  const root = recomputation.root()
  if (Buffer.compare(root, checkpoint.root) !== 0) {
    return defect('root_differs', 'the entries do not give the root that was signed')
  }
  const pruned = await recomputation.pruned()
  if ('wrong' in pruned) return pruned.wrong
  const text = Buffer.from(root).toString('base64')
  return { ok: true, size: checkpoint.size, root: text, checkpoint: note, ...pruned }
}

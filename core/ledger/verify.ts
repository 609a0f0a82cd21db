import type { TileReader } from './reader.ts'

export type LedgerProblem =
  | 'checkpoint_missing'
  | 'checkpoint_invalid'
  | 'known_checkpoint_invalid'
  | 'entries_missing'
  | 'entries_malformed'
  | 'tile_missing'
  | 'leaf_changed'
  | 'tile_changed'
  | 'root_differs'
  | 'truncated'
  | 'forked'

export type LedgerVerdict =
  | {
      readonly ok: true
      readonly size: number
      /** Base64, as in the checkpoint. */
      readonly root: string
      /** The verified note. Keep it elsewhere and give it back as `knownCheckpoint` next time. */
      readonly checkpoint: string
    }
  | {
      readonly ok: false
      readonly problem: LedgerProblem
      readonly message: string
      /** The first leaf known to be wrong. */
      readonly index?: number
    }

export interface VerifyOptions {
  readonly read: TileReader
  readonly vkey: string
  /** An earlier checkpoint kept where the log's owner cannot change it. */
  readonly knownCheckpoint?: string
}

import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

export interface Settings {
  readonly help: boolean
  readonly seed: number
  readonly minutes: number
  /** Where logs, ledger and evidence go when something is wrong. */
  readonly keep: string
}

export const usage = `usage: npm run soak -- [--minutes N] [--seed N] [--keep FOLDER]

Good, bad and hostile agents on a real cluster, with kills, faults, stops and people's own changes, all
at once. At the end independent witnesses are heard: the API server's audit log, the ledger, and what
stands in the cluster. Exit code 1 when any promise was broken, 2 for wrong arguments.

  --minutes N    how long, fractions allowed, 20 unless given
  --seed N       who does what and when, a whole number; the same one does the same again
  --keep FOLDER  where logs, ledger and evidence go when something is wrong

Examples:
  npm run soak -- --minutes 20
  npm run soak -- --minutes 0.5 --seed 7

Ctrl-C ends it, and gives the verdict on what was until then; once more waits for nothing under way.
`

/** @throws Error for what is no length and no seed */
export function readSettings(
  argv: readonly string[],
  draw: () => number = () => randomInt(1_000_000),
): Settings {
  const options = {
    help: { type: 'boolean', short: 'h', default: false },
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string' },
    keep: { type: 'string' },
  } as const
  const { values } = parseArgs({ args: [...argv], options })
  const minutes = Number(values.minutes)
  if (!/^\d+(\.\d+)?$/.test(values.minutes) || minutes < 0.1 || minutes > 24 * 60) {
    throw new Error(`\`--minutes ${values.minutes}\` is none of 0.1 to 1440`)
  }
  if (values.seed !== undefined && !/^\d{1,9}$/.test(values.seed)) {
    throw new Error(`\`--seed ${values.seed}\` is no whole number below a billion`)
  }
  const seed = values.seed === undefined ? draw() : Number(values.seed)
  const { keep = join(tmpdir(), `jackstay-soak-seed-${seed}`) } = values
  return { help: values.help, seed, minutes, keep }
}

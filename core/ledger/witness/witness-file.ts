import { JackstayError } from '@jackstay/contract/errors'
import { hashFromBase64 } from '../log/checkpoint.ts'
import { readIfThere, replaceDurably } from '../store/durable-file.ts'
import type { WitnessedTree } from './witness.ts'
import type { WitnessState } from './witness-handler.ts'

/**
 * The state of a witness in one file, one line per log: `size root origin`. One process at a time.
 * Whoever takes the file away makes the witness forget, so it belongs where the log cannot reach.
 */
export async function witnessFile(path: string): Promise<WitnessState> {
  const trees = parse(path, (await readIfThere(path)) ?? '')
  let turn = Promise.resolve()
  const replace: WitnessState['replace'] = async (origin, expected, next) => {
    const now = trees.get(origin)
    if (now?.size !== expected?.size || !sameRoot(now, expected)) return false
    if (now !== undefined && now.size === next.size && sameRoot(now, next)) return true
    await replaceDurably(path, format(new Map([...trees, [origin, next]])))
    trees.set(origin, next)
    return true
  }
  return {
    read: async (origin) => trees.get(origin),
    replace: (origin, expected, next) => {
      // One after the other: comparing and writing must not interleave.
      const done = turn.then(() => replace(origin, expected, next))
      turn = done.then(
        () => {},
        () => {},
      )
      return done
    },
  }
}

function sameRoot(a: WitnessedTree | undefined, b: WitnessedTree | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return Buffer.from(a.root).equals(b.root)
}

function format(trees: ReadonlyMap<string, WitnessedTree>): string {
  const lines = [...trees].map(
    ([origin, { size, root }]) => `${size} ${Buffer.from(root).toString('base64')} ${origin}\n`,
  )
  return lines.join('')
}

function parse(path: string, text: string): Map<string, WitnessedTree> {
  const trees = new Map<string, WitnessedTree>()
  for (const line of text.split('\n').slice(0, -1)) {
    const [size, hash, ...origin] = line.split(' ')
    const root = hashFromBase64(hash)
    if (!/^(0|[1-9][0-9]{0,14})$/.test(size ?? '') || root === undefined || origin.length === 0) {
      throw new JackstayError(
        'ledger_damaged',
        `\`${path}\` is not the state of a witness: restore it; a witness that forgets is none`,
      )
    }
    trees.set(origin.join(' '), { size: Number(size), root })
  }
  return trees
}

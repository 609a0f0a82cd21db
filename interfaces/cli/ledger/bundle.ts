import { createReadStream, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bundleInfo, bundleInfoName, leavesName } from '@jackstay/ledger/bundle'
import { checkLeaves } from '@jackstay/ledger/bundle-leaves'
import {
  type BundleVerdict,
  type BundleVerifyOptions,
  verifyBundle,
} from '@jackstay/ledger/bundle-verify'
import type { LeafRange } from '@jackstay/ledger/export'
import { databaseName } from '@jackstay/ledger/sqlite-reader'
import { usageError } from '../failure.ts'
import { readInside } from './source.ts'

/** The leaves that a bundle of a part of a log holds; undefined for anything else. */
export function partOf(data: string | undefined): LeafRange | undefined {
  const path = data === undefined ? undefined : join(data, bundleInfoName)
  const text = path && readInside(path)
  if (data === undefined || text === undefined) return undefined
  // a description laid into a data directory would have most of its leaves passed over
  if (existsSync(join(data, databaseName))) {
    throw usageError(
      `\`${data}\` is a data directory and a bundle at once: take \`${bundleInfoName}\` or \`${databaseName}\` away, what is checked is the other`,
    )
  }
  const parsed = bundleInfo.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw usageError(`\`${path}\` is no description of a bundle; ask for the bundle again`)
}

/** A bundle, the leaves as people read them, and the values that came with them. */
export async function verifyPart(
  data: string,
  asked: Omit<BundleVerifyOptions, 'range'>,
  range: LeafRange,
): Promise<BundleVerdict> {
  const verdict = await verifyBundle({ ...asked, range })
  const path = join(data, leavesName)
  if (!verdict.ok || !existsSync(path)) return verdict
  const leaves = await checkLeaves(linesOf(path), asked.read, verdict.size, range)
  return 'ok' in leaves ? leaves : { ...verdict, values: leaves.values }
}

/** A leaf and the values beside it, each of which may have a megabyte. */
const longestLine = 16 * 1024 * 1024

/**
 * The lines of a file that anybody may have written, with no more than one of them in memory.
 * @throws CommandFailed for what is no file or has a line without end
 */
export async function* linesOf(path: string): AsyncGenerator<string> {
  if (!statSync(path).isFile()) throw usageError(`\`${path}\` is no file; ask for the bundle again`)
  let rest = ''
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
    const [first = '', ...more] = String(chunk).split('\n')
    rest += first
    for (const next of more) {
      yield rest
      rest = next
    }
    if (rest.length > longestLine) {
      throw usageError(`\`${path}\` has a line of more than ${longestLine} characters`)
    }
  }
  if (rest !== '') yield rest
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

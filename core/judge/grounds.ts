import type { Grounds } from '@jackstay/contract/history'
import { canonical, digestOf, inOneOrder, type Json, sha256 } from '@jackstay/contract/json'
import { type Facts, judgedFacts } from './facts.ts'

/** Bytes of facts that are kept beside a decision: more than a whole request has. */
const maxBytes = 96 * 1024

interface Defaults {
  readonly count: number
  readonly groups: readonly string[]
}

/** Facts as they are put on record beside the decision that rests on them. Total, as `decide` is. */
export function groundsOf(values: Facts, { count, groups }: Defaults): Grounds {
  return { ...kept(values), defaultApproval: { count, groups: [...groups] } }
}

function kept({ now, elsewhere, ...rest }: Facts): Pick<Grounds, 'digest' | 'facts'> {
  try {
    const all: { readonly [key: string]: Json } = inOneOrder({
      ...rest,
      ...(elsewhere && { elsewhere }),
      now: now.toISOString(),
    })
    const text = canonical(all)
    const small = Buffer.byteLength(text) <= maxBytes
    return { digest: sha256(text), ...(small && { facts: all }) }
  } catch {
    return { digest: sha256('') } // of no facts: what JSON cannot carry was denied, and stays so
  }
}

/**
 * The facts of a record, or why they cannot be judged again: too large to have been kept, or of a
 * version that knew other variables.
 */
export function readGrounds(
  grounds: Grounds | undefined,
): { readonly facts: Facts } | { readonly missing: string } {
  if (grounds === undefined) return { missing: 'recorded before facts were kept' }
  if (grounds.facts === undefined) return { missing: 'the facts were too large to be kept' }
  if (digestOf(grounds.facts) !== grounds.digest) {
    return { missing: 'the facts are not the ones of their digest: the record is damaged' }
  }
  const { now, ...rest } = grounds.facts
  const read = judgedFacts.safeParse({ ...rest, now: new Date(String(now)) })
  if (read.success) return { facts: read.data }
  const [issue] = read.error.issues
  return { missing: `recorded by another version: \`${issue?.path.join('.')}\` ${issue?.message}` }
}

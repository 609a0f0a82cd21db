import { withImplied } from '@jackstay/contract/redaction'
import type { Hold, HoldScope, PrunePlan, Redacted } from '@jackstay/ledger/erasure'
import { previewPrune, readHolds } from '@jackstay/ledger/erasure-preview'
import { parsePolicy, type RetentionPolicy } from '@jackstay/ledger/retention'
import type { ErasableStore } from '@jackstay/ledger/store'
import { parse } from 'yaml'
import { assertAskable, confirmed } from '../confirm.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import { type Line, styled, table } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import type { Deed } from './deed.ts'
import type { Place } from './place.ts'
import { assertDataDirectory, readText } from './source.ts'
import { writing } from './writing.ts'

export interface RedactRequest extends Deed, Place {
  /** An intent's id, or `leaf/N`. */
  readonly subject: string
  readonly names?: readonly string[] | undefined
}

/** Erases values of an intent, or of a leaf, for good. */
export async function redact(request: RedactRequest, terminal: Terminal): Promise<void> {
  const { subject, names, reason, by, yes, json } = request
  const of = subjectOf(subject)
  await writing(request, async (store) => {
    if (!yes) {
      assertAskable(terminal, json)
      const what = names === undefined ? 'everything that can be erased' : withImplied(names)
      await confirmed(terminal, `Erase ${String(what)} of ${subject} for good?`)
    }
    const done = await store.redact({ of, reason, by, ...(names && { names: [...names] }) })
    if (json) printData(terminal, done)
    else print(terminal, redactedLines(subject, done))
  })
}

function subjectOf(text: string): { readonly intent: string } | { readonly leaf: number } {
  const leaf = /^leaf\/(\d{1,15})$/.exec(text)?.[1]
  return leaf === undefined ? { intent: text } : { leaf: Number(leaf) }
}

function redactedLines(subject: string, { values, events, leafIndexes }: Redacted): Line[] {
  if (leafIndexes.length === 0) {
    return [[`nothing of ${subject} was left to erase; its files were written anew all the same`]]
  }
  return [
    [styled('green', 'erased'), ` from ${subject}; leaf ${leafIndexes.join(', ')} says so`],
    ...values.map(({ leaf, name, commitment }): Line => [`leaf ${leaf}  ${name}  ${commitment}`]),
    ...(events.length > 0 ? [[`events  ${events.join(', ')}`]] : []),
    [
      styled(
        'yellow',
        'copies elsewhere stay: backups, exported bundles, telemetry, the Intent object, the agent',
      ),
    ],
  ]
}

export interface HoldRequest extends Deed, Place {
  readonly id: string
  readonly scope: HoldScope
}

export async function addHold(request: HoldRequest, terminal: Terminal): Promise<void> {
  const { id, scope, reason, by, json } = request
  await writing(request, async (store) => {
    await assertCoversSomething(store, scope)
    const hold = await store.putHold({ id, scope, reason, by })
    if (json) return printData(terminal, hold)
    const covered = `${styledScope(scope)} is neither erased nor pruned`
    print(terminal, [[styled('green', 'held'), ` by ${id}: ${covered}; leaf ${hold.leaf} says so`]])
  })
}

/** A hold on a mistyped name would look like one that protects. */
async function assertCoversSomething(store: ErasableStore, scope: HoldScope): Promise<void> {
  const missing =
    ('intent' in scope && (await store.intent(scope.intent)) === undefined
      ? `intent \`${scope.intent}\``
      : undefined) ??
    ('leaf' in scope && !(await hasLeaf(store, scope.leaf)) ? `leaf ${scope.leaf}` : undefined)
  if (missing !== undefined) {
    throw new CommandFailed(
      exitCodes.notFound,
      'not_found',
      `nothing is held: there is no ${missing} in this log; it never was, or it was pruned`,
    )
  }
  if ('agent' in scope && !/^[^/]+\/[^/]+$/.test(scope.agent)) {
    throw usageError(`\`${scope.agent}\` is no agent; write it as \`namespace/serviceaccount\``)
  }
}

async function hasLeaf(store: ErasableStore, index: number): Promise<boolean> {
  return index >= (await store.minimum()) && index < (await store.size())
}

export async function liftHold(
  request: Deed & Place & { readonly id: string },
  terminal: Terminal,
): Promise<void> {
  const { id, reason, by, yes, json } = request
  await writing(request, async (store) => {
    if (!yes) {
      assertAskable(terminal, json)
      await confirmed(terminal, `Lift the legal hold ${id}?`)
    }
    const leaf = await store.liftHold({ id, reason, by })
    if (json) printData(terminal, { id, leaf })
    else print(terminal, [[styled('green', 'lifted'), ` ${id}; leaf ${leaf} says so`]])
  })
}

export async function listHolds(
  { json, ...place }: Place & { readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  assertDataDirectory(place.data)
  const holds =
    place.ledgerUrlFile === undefined
      ? readHolds(place.data)
      : await writing(place, (store) => store.holds())
  if (json) printData(terminal, { holds })
  else print(terminal, holds.length === 0 ? [['no hold is in force']] : holdLines(holds))
}

function holdLines(holds: readonly Hold[]): Line[] {
  const rows = holds.map(({ id, scope, since, by, leaf, reason }) =>
    [id, styledScope(scope), since, by, String(leaf), reason].map((text) => ({ text })),
  )
  return table(['ID', 'COVERS', 'SINCE', 'BY', 'LEAF', 'REASON'], rows)
}

function styledScope(scope: HoldScope): string {
  const [[name, value] = ['everything', true]] = Object.entries(scope)
  return value === true ? name : `${name} ${value}`
}

export interface PruneCommand extends Deed, Place {
  /** A YAML file with the retention policy. */
  readonly policy: string
  readonly dryRun: boolean
}

/** Removes the oldest leaves as the policy allows, or says what that would be. */
export async function prune(request: PruneCommand, terminal: Terminal): Promise<void> {
  const { reason, by, yes, json, dryRun } = request
  assertDataDirectory(request.data)
  const policy = await readPolicy(request.policy)
  const plan = await preview(request, policy)
  if (dryRun || (plan.to === plan.from && plan.keeper === undefined)) {
    if (json) printData(terminal, { dryRun, ...plan })
    else print(terminal, planLines(plan, plan.size))
    return
  }
  await writing(request, async (store) => {
    if (!yes && plan.to > plan.from) {
      assertAskable(terminal, json, 'look with --dry-run, then')
      print(terminal, planLines(plan, plan.size))
      await confirmed(terminal, `Remove ${plan.to - plan.from} leaves for good?`)
    }
    const done = await store.prune({ policy, reason, by })
    if (json) return printData(terminal, done)
    const range = `leaves ${done.from} to ${done.to - 1}`
    print(terminal, [
      [styled('green', 'pruned'), ` ${range}; leaf ${done.leaf} says so`],
      ['hash tiles stay: proofs and consistency still verify, also from before'],
    ])
  })
}

async function preview(
  place: Place,
  policy: RetentionPolicy,
): Promise<PrunePlan & { readonly size: number }> {
  if (place.ledgerUrlFile === undefined) return previewPrune(place.data, policy, Date.now())
  return writing(place, async (store) => {
    return { ...(await store.planPrune(policy)), size: await store.size() }
  })
}

function planLines({ from, to, keeper }: PrunePlan, size: number): Line[] {
  const first =
    to > from
      ? [styled('bold', `leaves ${from} to ${to - 1}`), ` of ${size} may go`]
      : [styled('bold', 'nothing'), ` of ${size} leaves may go`]
  const next =
    keeper === undefined
      ? 'what follows is less than a bundle of 256 leaves'
      : `leaf ${keeper.leaf} (${keeper.kind}) has to stay: ${keeper.why}`
  return [first, [next]]
}

async function readPolicy(path: string): Promise<RetentionPolicy> {
  let value: unknown
  try {
    value = parse(await readText(path))
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    throw usageError(`\`${path}\` is no YAML: ${error instanceof Error ? error.message : error}`)
  }
  return parsePolicy(value)
}

import { setTimeout as sleep } from 'node:timers/promises'
import { JackstayError } from '@jackstay/contract/errors'
import { type AnchorState, anchored } from '@jackstay/ledger/anchor'
import { type Anchoring, openAnchoring } from '@jackstay/ledger/anchoring'
import { anchorsOf, type LedgerPolicy } from '@jackstay/ledger/ledger-policy'
import { type LedgerStatus, readLedgerStatus } from '@jackstay/ledger/ledger-status'
import { storeTiles } from '@jackstay/ledger/log-tiles'
import { verifierFromVkey } from '@jackstay/ledger/note'
import type { Store } from '@jackstay/ledger/store'
import type { Requester } from '@jackstay/ledger/witness-client'
import {
  collectCosignatures,
  keepWitnessed,
  merge,
  readWitnessed,
  type Witnessed,
} from '@jackstay/ledger/witnessing'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import type { Clock } from '../ports.ts'

export interface OutsideOptions {
  readonly store: Store
  readonly vkey: string
  readonly policy: LedgerPolicy
  readonly dataDir: string
  readonly fetch: Requester['fetch']
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
}

/** What makes a log that its owner rewrote be found out: checkpoints cosigned and kept elsewhere. */
export interface Outside {
  /** The newest checkpoint, with the cosignatures there are for it. */
  checkpoint(): Promise<string>
  /** The newest checkpoint that witnesses cosigned, as old as that may be. */
  witnessed(): Promise<string | undefined>
  status(): Promise<LedgerStatus>
  /** One round: asks the witnesses, then pushes to the anchors. Only the store's errors pass. */
  round(): Promise<void>
  /** Rounds until the signal aborts. */
  run(): Promise<void>
}

/**
 * Compares the log with what is kept outside, before anything is appended to it.
 * @throws JackstayError `ledger_damaged` when the log is not the one that was kept
 */
export async function openOutside(options: OutsideOptions): Promise<Outside> {
  const { store, vkey, policy, dataDir, clock, log } = options
  const anchoring = await openAnchoring(anchorsOf(policy, dataDir, options), dataDir, clock)
  await assertKept(anchoring, options)
  const read = storeTiles(store)
  const witnesses = watcher(options)
  const report = reporter(options)
  const newest = async () => merge(await store.checkpoint(), await readWitnessed(dataDir))
  let [lastAsked, lastPushed] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const round = async () => {
    if (policy.witnesses !== undefined && clock.now() - lastAsked >= policy.witnesses.everyMs) {
      lastAsked = clock.now()
      await witnesses(policy.witnesses.policy)
    }
    if (clock.now() - lastPushed < policy.anchorEveryMs) return
    lastPushed = clock.now()
    report(await anchoring.push(await newest(), options.signal), await store.size())
  }
  return {
    checkpoint: newest,
    witnessed: () => readWitnessed(dataDir),
    status: async () =>
      readLedgerStatus({
        ...{ read, vkey, policy, clock, anchors: anchoring.states() },
        witnessed: await readWitnessed(dataDir),
      }),
    round,
    async run() {
      while (!options.signal.aborted) {
        await round().catch((err: unknown) => {
          if (!options.signal.aborted) log.warn({ err }, 'checkpoints were not sent out')
        })
        const pause = periodOf(policy) * (0.9 + 0.2 * options.random())
        await sleep(pause, undefined, { signal: options.signal }).catch(() => undefined)
      }
    },
  }
}

function periodOf({ anchors, anchorEveryMs, witnesses }: LedgerPolicy): number {
  const periods = [...(anchors.length > 0 ? [anchorEveryMs] : []), witnesses?.everyMs ?? 60_000]
  return Math.min(...periods)
}

async function assertKept(anchoring: Anchoring, options: OutsideOptions): Promise<void> {
  const { store, vkey, log, signal } = options
  const { contradicted, unread } = await anchoring.compare(storeTiles(store), vkey, signal)
  for (const { anchor, message } of unread) {
    log.warn({ anchor, detail: message }, 'what this anchor keeps was not compared with the log')
  }
  const [first] = contradicted
  if (first === undefined) return
  throw new JackstayError(
    'ledger_damaged',
    `the ledger is not the one that \`${first.anchor}\` keeps a checkpoint of: ${first.defect.message}; restore the newest backup, or begin a new log with \`jackstay ledger recover --checkpoint FILE\``,
  )
}

/** Asks the witnesses when the log has grown since, and says what they answered. */
function watcher(options: OutsideOptions) {
  const { store, vkey, policy, dataDir, metrics, log, signal, random, fetch } = options
  const met = metrics.gauge('jackstay_ledger_quorum_met', 'whether the newest round met the quorum')
  const refusals = metrics.counter(
    'jackstay_ledger_witness_failures_total',
    'witnesses that did not cosign',
    ['witness', 'kind'],
  )
  const wait = (ms: number) => sleep(ms, undefined, { signal })
  const requester = { fetch, signal, timeoutMs: policy.timeoutMs, wait, random }
  let asked = ''
  return async (witnesses: NonNullable<LedgerPolicy['witnesses']>['policy']) => {
    const note = await store.checkpoint()
    if (note === asked) return
    const frozen = { ...storeTiles(store), checkpoint: async () => note }
    const found = await collectCosignatures(frozen, vkey, witnesses, requester)
    await keepWitnessed(dataDir, found, witnesses, verifierFromVkey(vkey))
    met.set(found.verdict.met ? 1 : 0)
    if (found.verdict.met) asked = note
    for (const answer of found.answers) say(answer, log, refusals)
  }
}

function say(
  { name, answer }: Witnessed['answers'][number],
  log: Log,
  refusals: { inc(labels: { witness: string; kind: string }): void },
): void {
  if (answer.kind === 'cosigned') return
  refusals.inc({ witness: name, kind: answer.kind })
  const fields = { witness: name, detail: answer.problem }
  if (answer.kind === 'contradicts') log.error(fields, 'a witness has seen another ledger')
  else log.warn(fields, 'a witness did not cosign')
}

function reporter({ metrics, log, policy, clock }: OutsideOptions) {
  const kept = metrics.gauge('jackstay_ledger_anchored', 'whether a place outside keeps the log')
  const sizes = metrics.gauge(
    'jackstay_ledger_anchor_size',
    'leaves under the last checkpoint an anchor took',
    ['anchor'],
  )
  const said = new Map<string, string>()
  return (states: readonly AnchorState[], size: number) => {
    kept.set(anchored(states, { size, clock, staleMs: policy.staleMs }).anchored ? 1 : 0)
    for (const { name, pushed, error } of states) {
      sizes.set(pushed?.size ?? 0, { anchor: name })
      // each new problem once, not once a minute
      if (error !== undefined && said.get(name) !== error.message) {
        log.warn({ anchor: name, detail: error.message }, 'an anchor did not take a checkpoint')
      }
      said.set(name, error?.message ?? '')
    }
  }
}

import { JackstayError } from '@jackstay/contract/errors'
import type { IntentEvent } from '@jackstay/contract/history'
import { extend, hasEnded, type IntentRecord } from '@jackstay/contract/record'
import { admit } from './admit.ts'
import { approve } from './approve.ts'
import { decide } from './decide.ts'
import { dispatch } from './dispatch.ts'
import { execute } from './execute.ts'
import { cancelled } from './line/cancel.ts'
import type { Stage, Wake } from './line/step.ts'
import { Told } from './line/told.ts'
import { plan } from './plan.ts'
import type { Leaf, LinePorts, Ports } from './ports.ts'
import { rehearse } from './rehearse.ts'
import { undo } from './undo.ts'
import { verify } from './verify.ts'

/**
 * THE LINE. An intent enters authenticated (authenticate.ts, on the request) and passes:
 *
 *   admit      cheap gates on caches: suspension, class, breakers, windows, rate, pending
 *   plan       the action computes ordered writes with pre-image, post-image and inverse
 *   decide     the rules: any deny, any error, no allow ⇒ no
 *   rehearse   server-side dry-run as the executor; the digest people approve   (leaf: decision)
 *   approve    waits for people, where rules or class want them                 (leaf: approval)
 *   dispatch   everything again on the live state; binds uid, resourceVersion   (leaf: dispatch)
 *   execute    the writes, with those preconditions; asks everything again before each further one
 *   verify     the action's own success test, until it holds or its deadline passes
 *   undo       the inverses, only over fields still ours                        (leaf: outcome)
 */
export const stages: readonly Stage[] = [
  admit,
  plan,
  decide,
  rehearse,
  approve,
  dispatch,
  execute,
  verify,
  undo,
]

/** More steps than any intent of the largest plan takes: beyond it, something loops. */
const maxSteps = 1000

export interface Advanced {
  readonly record: IntentRecord
  /** What to wait for; undefined when the intent has ended. */
  readonly wake: Wake | undefined
}

/**
 * Takes an intent as far as it goes now: folds its events, runs from the first unfinished stage,
 * and stops when it has ended or must wait. Approvals, timers, changes in the cluster and restarts
 * all just call this again. Whoever calls holds the intent's claim, and may know its record already.
 */
export async function advance(
  id: string,
  given: Omit<LinePorts, 'unsent'>,
  known?: IntentRecord,
): Promise<Advanced> {
  const ports = { ...given, unsent: new Set<string>() }
  const told = new Told(ports, known ?? (await ports.history.read(id)))
  try {
    return await follow(told, ports)
  } finally {
    // what a stage found out before it failed or waits is not asked again
    await told.write()
  }
}

async function follow(told: Told, ports: LinePorts): Promise<Advanced> {
  for (let steps = 0; steps < maxSteps; steps++) {
    const { record } = told
    if (hasEnded(record)) return { record, wake: undefined }
    if (!ports.cluster.synced()) {
      return { record, wake: { on: [], at: ports.clock.now() + 1000 } }
    }
    const stage = stageOf(record)
    const step = cancelled(record, ports) ?? (await stage.run(record, ports))
    if (step.go === 'wait') return { record, wake: step.wake }
    told.add(step.events)
    if (step.go === 'end' || stage.onlyLooks !== true) await told.write(step.leaves)
  }
  throw new JackstayError('internal', `\`${told.record.id}\` took more than ${maxSteps} steps`)
}

function stageOf(record: IntentRecord): Stage {
  const stage = stages.find(({ name }) => name === record.phase)
  if (stage === undefined) throw new TypeError(`no stage is named \`${record.phase}\``)
  return stage
}

/** What the first stages said of an intent that is not on record yet. */
export interface Looked {
  readonly events: readonly IntentEvent[]
  readonly leaves: readonly Leaf[]
}

/**
 * The stages that only look, for an intent that has its first event and is on record nowhere: most intents
 * of a flood end here, and need one transaction. It stops where `patience` ends or a stage fails; the line
 * then asks again.
 */
export async function look(
  first: IntentRecord,
  given: Omit<Ports, 'unsent'>,
  patience: Promise<undefined>,
): Promise<Looked> {
  const ports = { ...given, unsent: new Set<string>() }
  const events: IntentEvent[] = []
  let record = first
  for (;;) {
    const stage = stageOf(record)
    if (stage.onlyLooks !== true || !ports.cluster.synced()) return { events, leaves: [] }
    // whoever takes the line from there meets the same failure, and reports it
    const answer = stage.run(record, ports).catch(() => undefined)
    const step = await Promise.race([answer, patience])
    if (step === undefined || step.go === 'wait') return { events, leaves: [] }
    events.push(...step.events)
    if (step.go === 'end') return { events, leaves: step.leaves }
    record = extend(record, step.events)
  }
}

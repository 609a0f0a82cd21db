import type { Observed } from '@jackstay/actions/action'
import type { CreateWrite, ObjectRef, PatchWrite } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { undoSuspended } from './clearance/suspended.ts'
import { identityOf } from './line/judgement.ts'
import {
  approvedPlan,
  evictions,
  sendOf,
  triedAgainAt,
  undoMayHaveLanded,
  writesToUndo,
} from './line/progress.ts'
import { next, rfc3339, type Stage, type Step, wait } from './line/step.ts'
import { end, moment } from './memory/leaves.ts'
import type { Ports } from './ports.ts'
import { attempt as attemptOf, found } from './writes/attempt.ts'
import { bindingOf } from './writes/binding.ts'
import { inverseOf } from './writes/effects.ts'
import { fieldManager, isSigned, untouched } from './writes/settle.ts'

const maxAttempts = 10
const suspendedPollMs = 5000
const refusedPollMs = 1000
const maxRefusals = 3

/**
 * The inverses, newest write first, only over fields that are still ours. Needs no policy, window
 * or budget: only the recorded do, and no suspension that holds undo.
 */
export const undo: Stage = {
  name: 'undo',
  async run(record, ports) {
    const [write] = writesToUndo(record)
    if (write === undefined) return rolledBack(record, ports)
    if (undoSuspended(record, write.object, ports) !== undefined) {
      return wait({ on: ['suspensions'], at: ports.clock.now() + suspendedPollMs })
    }
    const attempt = record.undoDispatched?.attempt ?? 0
    const last = record.undone.findLast((u) => u.write === write.id && u.attempt === attempt)
    if (last?.outcome === 'held') return failed(record, ports, 'undo_held', last.message)
    if (last?.outcome === 'refused') {
      // a suspension bites at the API server before our cache shows it
      const refusals = record.undone.filter((u) => u.outcome === 'refused').length
      if (refusals >= maxRefusals) return failed(record, ports, 'undo_refused', last.message)
      const again = Date.parse(last.at) + refusedPollMs
      if (ports.clock.now() < again) return wait({ on: ['suspensions'], at: again })
    }
    const due = triedAgainAt(record.undone)
    if (due !== undefined && ports.clock.now() < due) return wait({ on: ['suspensions'], at: due })
    const bound = record.undoDispatched?.bindings.find((b) => b.write === write.id)
    if (bound === undefined || last !== undefined) return bind(record, write, attempt + 1, ports)
    const identity = identityOf(record, approvedPlan(record), true)
    const effect = inverseOf(write, objectOf(record, write), bound, identity, ports)
    const unsent = ports.unsent.delete(sendOf(attempt, { undo: true }))
    const maySent = undoMayHaveLanded(record, write, unsent)
    const stopped = () => undoSuspended(record, write.object, ports)
    return undone(write, attempt, await attemptOf(effect, maySent, stopped), ports)
  },
}

async function bind(
  record: IntentRecord,
  write: PatchWrite | CreateWrite,
  attempt: number,
  ports: Ports,
): Promise<Step> {
  const untaken = record.undone.filter(({ outcome }) => outcome === 'unsent').length
  if (attempt - untaken > maxAttempts) {
    return failed(record, ports, 'undo_held', 'the object keeps moving')
  }
  const ref = objectOf(record, write)
  const identity = identityOf(record, approvedPlan(record), true)
  // an inverse whose answer was lost may have landed although the receipt says conflict
  const seen = await inverseOf(write, ref, undefined, identity, ports).look()
  if (seen.state === 'landed' && (attempt > 1 || write.verb === 'create')) {
    const ours = found(seen, undoMayHaveLanded(record, write))
    if (ours !== undefined) return undone(write, attempt - 1, ours, ports)
  }
  const object = await ports.targets.read(ref)
  const bound = object && bindingOf(object)
  const foreign = whyNotOurs(record, write, object)
  if (foreign !== undefined || bound === undefined) {
    const message = foreign ?? 'the object is gone'
    return undone(write, attempt - 1, { outcome: 'held', settled: 'by_reading', message }, ports)
  }
  const bindings = [{ write: write.id, ...bound }]
  const at = rfc3339(ports.clock.now())
  ports.unsent.add(sendOf(attempt, { undo: true }))
  return next({ type: 'undoDispatched', at, data: { attempt, bindings } })
}

/** What the inverse is about: the object of a creation is known by what became of it. */
function objectOf(record: IntentRecord, write: PatchWrite | CreateWrite): ObjectRef {
  if (write.verb === 'patch') return write.object
  const made = record.written.find((w) => w.write === write.id && w.outcome === 'applied')
  if (made?.uid === undefined) throw new TypeError(`nobody knows what ${write.id} made`)
  return { ...write.object, uid: made.uid }
}

/** Why the inverse would clobber somebody, or undefined while every field is as we left it. */
function whyNotOurs(
  record: IntentRecord,
  write: PatchWrite | CreateWrite,
  object: Observed | undefined,
): string | undefined {
  if (object === undefined || bindingOf(object)?.uid !== objectOf(record, write).uid) {
    return 'the object was deleted or replaced; nothing is left to restore'
  }
  if (write.verb === 'create') return undefined
  const receipt = record.written.find((w) => w.write === write.id && w.outcome === 'applied')
  if (receipt?.settled === 'by_reading' && !isSigned(write)) {
    return 'what was removed has no owner, and no answer told whether we removed it; restore it by hand if needed'
  }
  const manager = fieldManager(record.id, false)
  return untouched(object, write, manager)
    ? undefined
    : 'somebody changed the field after us; restore it by hand if needed'
}

function undone(
  write: PatchWrite | CreateWrite,
  attempt: number,
  became: {
    readonly outcome: 'applied' | 'conflict' | 'refused' | 'later' | 'held' | 'unsent'
    readonly settled: 'by_answer' | 'by_reading'
    readonly unanswered?: true
    readonly resourceVersion?: string
    readonly uid?: string
    readonly message?: string
  },
  ports: Ports,
): Step {
  const at = rfc3339(ports.clock.now())
  const { uid: _, ...data } = became
  // only evictions are told to wait, and they have no inverse
  const outcome = data.outcome === 'later' ? 'refused' : data.outcome
  return next({ type: 'undone', at, data: { write: write.id, attempt, ...data, outcome } })
}

function rolledBack(record: IntentRecord, ports: Ports): Step {
  const at = moment(ports)
  const because = record.undoing?.message ?? ''
  const gone = evictions(record).length
  if (gone > 0 && record.undone.length === 0) {
    // nothing was there to take back, and that is no success
    const message = `held for a human: nothing takes an eviction back; ${because}`
    return end(record, at, 'undo', { phase: 'rollback_failed', reason: 'not_reversible', message })
  }
  const but =
    gone > 0 ? `; ${gone} evicted Pods are replaced by their controllers, not restored` : ''
  const message = `the previous state is restored, because: ${because}${but}`
  return end(record, at, 'undo', { phase: 'rolled_back', reason: 'undone', message })
}

function failed(
  record: IntentRecord,
  ports: Ports,
  reason: 'undo_held' | 'undo_refused',
  why: string | undefined,
): Step {
  const at = moment(ports)
  const message = `held for a human: ${why ?? 'the undo did not land'}`
  return end(record, at, 'undo', { phase: 'rollback_failed', reason, message })
}

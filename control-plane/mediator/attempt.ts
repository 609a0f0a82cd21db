import type { Observed } from '@jackstay/actions/action'
import type { Binding } from '@jackstay/contract/history'
import type { PlannedWrite } from '@jackstay/contract/plan'
import { visible } from '@jackstay/contract/text'
import { bindingOf } from './judgement.ts'
import type { Ports, WriteIdentity } from './ports.ts'
import { type Change, fieldManager, landed } from './settle.ts'

/** What became of one write, told by the API server's answer or by reading the object. */
export interface Attempted {
  readonly outcome: 'applied' | 'conflict' | 'refused'
  readonly settled: 'by_answer' | 'by_reading'
  readonly auditId?: string
  readonly resourceVersion?: string
  readonly message?: string
}

/** Sends one write, again only while the object is still exactly the one it was bound to. */
const sends = 5

/**
 * Makes one write at most once. Reads first, so a repeat after a crash finds what landed; the bound
 * resourceVersion lets at most one of any twins land; an unknown answer is settled by reading.
 */
export async function attemptWrite(
  write: PlannedWrite,
  change: Change & { readonly body: unknown },
  bound: Binding,
  identity: WriteIdentity,
  ports: Ports,
): Promise<Attempted> {
  const manager = fieldManager(identity.intent, identity.undo)
  let message = ''
  for (let sent = 0; sent < sends; sent++) {
    const found = await ports.targets.read(write.object)
    if (found !== undefined && landed(found, change, manager)) return byReading(found)
    if (found === undefined || moved(found, bound)) {
      return { outcome: 'conflict', settled: 'by_reading', message: 'the object moved' }
    }
    const answer = await ports.targets.patch(write.object, change.body, bound, identity, {
      dryRun: false,
    })
    const audit = 'auditId' in answer && answer.auditId ? { auditId: answer.auditId } : {}
    if (answer.kind === 'applied') {
      const version = bindingOf(answer.object)?.resourceVersion
      const resourceVersion = version === undefined ? {} : { resourceVersion: version }
      return { outcome: 'applied', settled: 'by_answer', ...audit, ...resourceVersion }
    }
    if (answer.kind === 'refused') {
      return {
        outcome: 'refused',
        settled: 'by_answer',
        ...audit,
        message: visible(answer.message),
      }
    }
    message = answer.message
  }
  return { outcome: 'conflict', settled: 'by_reading', message: visible(message) }
}

function moved(object: Observed, bound: Binding): boolean {
  const now = bindingOf(object)
  return now?.uid !== bound.uid || now.resourceVersion !== bound.resourceVersion
}

function byReading(object: Observed): Attempted {
  const version = bindingOf(object)?.resourceVersion
  const resourceVersion = version === undefined ? {} : { resourceVersion: version }
  return { outcome: 'applied', settled: 'by_reading', ...resourceVersion }
}

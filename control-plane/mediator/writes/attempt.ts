import type { Observed } from '@jackstay/actions/action'
import { JackstayError } from '@jackstay/contract/errors'
import { visible } from '@jackstay/contract/text'
import { bindingOf } from './binding.ts'
import type { Effect } from './effects.ts'

/** What became of one write, told by the API server's answer or by reading the object. */
export interface Attempted {
  readonly outcome: 'applied' | 'conflict' | 'refused' | 'later'
  readonly settled: 'by_answer' | 'by_reading'
  readonly auditId?: string
  /** Of the object as it was left; absent where it is gone. */
  readonly uid?: string
  readonly resourceVersion?: string
  readonly message?: string
}

/** Sends one write, again only while the object is still exactly the one it was bound to. */
const sends = 5

/**
 * Makes one write at most once. Reads first, so a repeat after a crash finds what landed; the bound
 * resourceVersion lets at most one of any twins land; an unknown answer is settled by reading.
 * @throws JackstayError `upstream_unavailable` when the API server is too busy to take it
 */
export async function attempt(effect: Effect): Promise<Attempted> {
  let message = ''
  let left = false
  for (let sent = 0; sent < sends; sent++) {
    const seen = await effect.look()
    if (seen.state === 'landed') return { ...applied(seen.object), settled: 'by_reading' }
    if (seen.state === 'moved') {
      return { outcome: 'conflict', settled: 'by_reading', message: seen.message }
    }
    const answer = await effect.send({ dryRun: false })
    const audit = 'auditId' in answer && answer.auditId ? { auditId: answer.auditId } : {}
    if (answer.kind === 'applied') {
      return { ...applied(answer.object), settled: 'by_answer', ...audit }
    }
    if (answer.kind === 'refused' || answer.kind === 'later') {
      const outcome = answer.kind
      return { outcome, settled: 'by_answer', ...audit, message: visible(answer.message) }
    }
    message = answer.message
    left ||= answer.kind !== 'not_sent'
  }
  if (!left) {
    // nothing left for the object, so it did not move: whoever drives the line tries again, ever later
    throw new JackstayError(
      'upstream_unavailable',
      `the API server took none of ${sends} attempts: ${message}`,
    )
  }
  const seen = await effect.look()
  if (seen.state === 'landed') return { ...applied(seen.object), settled: 'by_reading' }
  return { outcome: 'conflict', settled: 'by_reading', message: visible(message) }
}

function applied(
  object: Observed | undefined,
): Pick<Attempted, 'outcome' | 'uid' | 'resourceVersion'> {
  return { outcome: 'applied', ...(object && bindingOf(object)) }
}

import type { Observed } from '@jackstay/actions/action'
import { JackstayError } from '@jackstay/contract/errors'
import { visible } from '@jackstay/contract/text'
import { bindingOf } from './binding.ts'
import type { Effect, Seen } from './effects.ts'

/** What became of one write, told by the API server's answer or by reading the object. */
export interface Attempted {
  /** `unsent`: nothing left for the object, whoever asked for the same meanwhile. */
  readonly outcome: 'applied' | 'conflict' | 'refused' | 'later' | 'unsent'
  readonly settled: 'by_answer' | 'by_reading'
  /** Sent without an answer before, so that it may still land. */
  readonly unanswered?: true
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
 * resourceVersion lets at most one of any twins land; an unknown answer is settled by reading. What
 * reading cannot tell from somebody else's work counts as ours only where ours may have landed.
 * @param maySent an earlier send may have got there without a receipt
 * @param stopped why nothing may be sent any more, asked in the moment before each send: whoever stops
 *   writes waits for none that has not left
 * @throws JackstayError `upstream_unavailable` when something left and the API server is gone since
 */
export async function attempt(
  effect: Effect,
  maySent: boolean,
  stopped: () => string | undefined,
): Promise<Attempted> {
  let message = ''
  let left = false
  let open = maySent
  const became = (outcome: Exclude<Attempted['outcome'], 'applied'>, why: string): Attempted => ({
    ...{ outcome, settled: outcome === 'conflict' ? 'by_reading' : 'by_answer' },
    message: visible(why),
    ...(open && { unanswered: true }),
  })
  const conflict = (why: string) => became('conflict', why)
  for (let sent = 0; sent < sends; sent++) {
    const seen = await effect.look().catch(away)
    // nothing left: whoever does the same from now on does it without us, and the record says so
    if ('away' in seen && !left) return became('unsent', seen.away.message)
    if ('away' in seen) throw seen.away
    if (seen.state === 'landed') return found(seen, open) ?? conflict(anothers)
    if (seen.state === 'moved') return conflict(seen.message)
    const stop = stopped()
    if (stop !== undefined && !left) return became('unsent', stop)
    if (stop !== undefined) break
    const answer = await effect.send({ dryRun: false })
    const audit = 'auditId' in answer && answer.auditId ? { auditId: answer.auditId } : {}
    if (answer.kind === 'applied') {
      return { ...applied(answer.object), settled: 'by_answer', ...audit }
    }
    if (answer.kind === 'refused' || answer.kind === 'later') {
      // of this send: an earlier one may have passed what held this one back
      return { ...became(answer.kind, answer.message), ...audit }
    }
    message = answer.message
    left ||= answer.kind !== 'not_sent'
    open ||= answer.kind === 'unknown'
  }
  if (!left) return became('unsent', `the API server took none of ${sends} attempts: ${message}`)
  const seen = await effect.look()
  if (seen.state === 'landed') return found(seen, open) ?? conflict(anothers)
  return conflict(message)
}

/** The API server cannot be asked; anything else is nothing an attempt could settle. */
function away(error: unknown): { readonly away: JackstayError } {
  if (error instanceof JackstayError && error.code === 'upstream_unavailable') {
    return { away: error }
  }
  throw error
}

const anothers = 'somebody else made the same change first'

/** What stands, as the effect of a write of ours that may have got there; else it is somebody else's. */
export function found(
  { object, signed }: Extract<Seen, { state: 'landed' }>,
  mayBeOurs: boolean,
): Attempted | undefined {
  return signed || mayBeOurs ? { ...applied(object), settled: 'by_reading' } : undefined
}

function applied(
  object: Observed | undefined,
): Pick<Attempted, 'outcome' | 'uid' | 'resourceVersion'> {
  return { outcome: 'applied', ...(object && bindingOf(object)) }
}

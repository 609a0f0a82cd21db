import { assertNever, JackstayError } from '@jackstay/contract/errors'
import type { EventData } from '@jackstay/contract/history'
import type { IntentSubmission } from '@jackstay/contract/intent'
import type { IntentRecord } from '@jackstay/contract/record'
import { visible } from '@jackstay/contract/text'
import type { Replay, Store } from '@jackstay/ledger/store'
import { type AuthenticatePorts, authenticate } from '../authenticate.ts'
import type { Sender } from '../breakers/breakers.ts'
import type { First } from '../driving/opening.ts'
import type { Floodgate } from '../flood/floodgate.ts'
import type { Journal } from '../memory/journal.ts'
import type { TriggerDesk } from '../triggers/trigger-desk.ts'

export interface IntakePorts extends Omit<AuthenticatePorts, 'onMalformed'> {
  readonly store: Pick<Store, 'replay'>
  readonly journal: Journal
  /** Puts a new intent on record. @throws JackstayError `intent_conflict` */
  begin(first: First): Promise<IntentRecord>
  readonly triggers: AuthenticatePorts['triggers'] & Pick<TriggerDesk, 'acknowledge'>
  readonly floodgate: Pick<Floodgate, 'demand'>
  /** An agent's own request, signature and Pod checked, that cannot become an intent. */
  readonly onOutright: (sender: Sender, cause: 'malformed' | 'flood') => void
  /** Removes secrets the program itself holds. */
  readonly redact: (text: string) => string
}

/** The intent's id, and what was begun where the submission is new. */
export interface TakenIn {
  readonly id: string
  readonly begun: IntentRecord | undefined
}

/**
 * Takes in one submission: the first time it begins the intent's history, which the journal follows
 * until it is left; the same bytes again only find it.
 * @throws JackstayError everything {@link authenticate} throws; `rate_limited`, `intent_conflict`
 */
export async function takeIn(
  submission: IntentSubmission,
  token: string,
  ports: IntakePorts,
): Promise<TakenIn> {
  const authenticated = await authenticate(submission, token, {
    ...ports,
    onMalformed: (sender) => ports.onOutright(sender, 'malformed'),
  })
  const { claims, agent, jwsDigest } = authenticated
  // nearly every intent is new: only what the store refuses, or the floodgate, is looked up
  const earlier = async () => found(await ports.store.replay(agent.kid, claims.jti, jwsDigest))
  try {
    ports.floodgate.demand(agent.name)
  } catch (error) {
    const again = await earlier()
    if (again !== undefined) return again
    ports.onOutright({ agent: agent.name, class: agent.class }, 'flood')
    throw error
  }
  const data = { ...authenticated, ...asRecorded(submission, authenticated, ports.redact) }
  const at = new Date(ports.clock.now()).toISOString()
  ports.journal.follow(claims.jti)
  try {
    return { id: claims.jti, begun: await ports.begin({ type: 'authenticated', at, data }) }
  } catch (error) {
    ports.journal.leave(claims.jti)
    const again = await earlier()
    if (again !== undefined) return again
    throw error
  }
}

/** What the id stands for already, undefined where it is new. @throws JackstayError when it is not this. */
function found(known: Replay): TakenIn | undefined {
  switch (known.kind) {
    case 'same':
      return { id: known.intentId, begun: undefined }
    case 'other_bytes':
      throw new JackstayError(
        'intent_conflict',
        'the id was used for another intent; take a new id',
      )
    case 'other_key':
      throw new JackstayError('replayed', 'this id was used under another key')
    case 'new':
      return undefined
    default:
      return assertNever(known)
  }
}

type Authenticated = EventData<'authenticated'>

/**
 * Somebody's words as they are put on record: held secrets removed, whatever form they were given,
 * then everything invisible escaped, then cut. Nothing is hashed or sealed before that.
 */
function asRecorded(
  { reasoning }: IntentSubmission,
  { trigger }: Authenticated,
  redact: IntakePorts['redact'],
): Pick<Authenticated, 'reasoning' | 'trigger'> {
  const words = (text: string, max: number) => visible(redact(text), max)
  const labels = (given: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(given).map(([key, text]) => [key, words(text, 4096)]))
  const evidence = reasoning.evidence.map((item) => ({ ...item, uri: words(item.uri, 512) }))
  return {
    reasoning: { ...reasoning, summary: words(reasoning.summary, 1024), evidence },
    ...(trigger && {
      trigger: {
        ...trigger,
        groupKey: words(trigger.groupKey, 4096),
        labels: labels(trigger.labels),
        annotations: labels(trigger.annotations),
      },
    }),
  }
}

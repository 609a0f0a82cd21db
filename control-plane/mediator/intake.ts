import { JackstayError } from '@jackstay/contract/errors'
import type { EventData } from '@jackstay/contract/history'
import type { IntentSubmission } from '@jackstay/contract/intent'
import { visible } from '@jackstay/contract/text'
import type { Store } from '@jackstay/ledger/store'
import type { RateLimiter } from '@jackstay/service/rate'
import { type AuthenticatePorts, authenticate } from './authenticate.ts'
import type { Sender } from './breakers/breakers.ts'
import { begin } from './histories.ts'
import type { TriggerDesk } from './trigger-desk.ts'

export interface IntakePorts extends Omit<AuthenticatePorts, 'onMalformed'> {
  readonly store: Store
  readonly triggers: AuthenticatePorts['triggers'] & Pick<TriggerDesk, 'acknowledge'>
  /** Per agent, far above any class's limit: it guards the store, not the cluster. */
  readonly floodgate: RateLimiter
  /** An agent's own request, signature and Pod checked, that cannot become an intent. */
  readonly onOutright: (sender: Sender, cause: 'malformed' | 'flood') => void
  /** Removes secrets the program itself holds. */
  readonly redact: (text: string) => string
}

/**
 * Takes in one submission and answers with the intent's id: the first time it begins the intent's
 * history, the same bytes again only find it.
 * @throws JackstayError everything {@link authenticate} throws; `rate_limited`, `intent_conflict`
 */
export async function takeIn(
  submission: IntentSubmission,
  token: string,
  ports: IntakePorts,
): Promise<{ readonly id: string; readonly created: boolean }> {
  const authenticated = await authenticate(submission, token, {
    ...ports,
    onMalformed: (sender) => ports.onOutright(sender, 'malformed'),
  })
  const { claims, agent, jwsDigest } = authenticated
  const known = await ports.store.replay(agent.kid, claims.jti, jwsDigest)
  switch (known.kind) {
    case 'same':
      return { id: known.intentId, created: false }
    case 'other_bytes':
      throw new JackstayError(
        'intent_conflict',
        `\`${claims.jti}\` was used for another intent; take a new id`,
      )
    case 'other_key':
      throw new JackstayError('replayed', 'this id was used under another key')
    case 'new':
      break
  }
  try {
    ports.floodgate.demand(agent.name)
  } catch (error) {
    ports.onOutright({ agent: agent.name, class: agent.class }, 'flood')
    throw error
  }
  const data = { ...authenticated, ...asRecorded(submission, authenticated, ports.redact) }
  const at = new Date(ports.clock.now()).toISOString()
  try {
    await begin(ports.store, claims.jti, { type: 'authenticated', at, data })
  } catch (error) {
    // a twin of this very request was faster
    const again = await ports.store.replay(agent.kid, claims.jti, jwsDigest)
    if (again.kind === 'same') return { id: again.intentId, created: false }
    throw error
  }
  return { id: claims.jti, created: true }
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

import { createHash } from 'node:crypto'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { visible } from '@jackstay/contract/text'
import type { KubeClient } from '@jackstay/kube/client'
import { type Transition, why } from './breakers.ts'

/** Where events about objects without a namespace stand, by Kubernetes' own rule. */
const eventNamespace = 'default'
const component = 'jackstay.dev/mediator'

const reasons = { open: 'BreakerOpened', 'half-open': 'BreakerHalfOpen', closed: 'BreakerClosed' }

/** A Kubernetes Event on the AgentClass, so that `kubectl describe` tells. */
export function breakerEvent(
  transition: Transition,
  uid: string,
  at: number,
): Readonly<Record<string, unknown>> {
  const { class: owner, scope, key, to, trip } = transition
  // one per transition: made again after a lost answer it is the same
  const name = createHash('sha256').update(`${scope}/${key}/${to}/${at}`).digest('hex').slice(0, 16)
  const note =
    to === 'closed' ? `the breaker of the ${scope} \`${key}\` closed` : why(transition, trip)
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `${owner}.${name}`, namespace: eventNamespace },
    // MicroTime wants six digits
    eventTime: new Date(at).toISOString().replace('Z', '000Z'),
    type: to === 'open' ? 'Warning' : 'Normal',
    reason: reasons[to],
    action: 'Breaking',
    note: visible(note, 1024),
    regarding: { apiVersion: groupVersion, kind: agentClass.kind, name: owner, uid },
    reportingController: component,
    reportingInstance: 'jackstay-mediator',
  }
}

/** Tells and forgets: an event is for people, and who does not see it asks the mediator. */
export function announceBreakers(
  client: Pick<KubeClient, 'create'>,
  uidOf: (name: string) => string | undefined,
  now: () => number,
  onError: (error: unknown) => void,
): (transition: Transition) => void {
  return (transition) => {
    const uid = uidOf(transition.class)
    if (uid === undefined) return
    const event = breakerEvent(transition, uid, now())
    const resource = { apiVersion: 'events.k8s.io/v1', resource: 'events' }
    client.create(resource, eventNamespace, event).then((result) => {
      if (result.kind === 'refused') onError(new Error(result.message))
    }, onError)
  }
}

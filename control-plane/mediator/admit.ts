import type { Reason } from '@jackstay/contract/history'
import { clockSkew } from '@jackstay/contract/intent'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import type { IntentRecord } from '@jackstay/contract/record'
import { withinClass } from '@jackstay/judge/class-ceiling'
import { granted, livesIn } from './grant.ts'
import { end } from './leaves.ts'
import type { ClassView, Ports } from './ports.ts'
import { next, rfc3339, type Stage } from './step.ts'
import { suspended } from './suspended.ts'

type Gate = readonly [Reason, string] | undefined

/** Cheap gates on caches alone, in this order; the first that closes is the reason. */
export const admit: Stage = {
  name: 'admit',
  async run(record, ports) {
    const at = { clusterUid: ports.clusterUid, at: ports.clock.now() }
    const found = ports.cluster.class(record.authenticated.agent.class)
    const closed = gates(record, ports, found) ?? (await quotas(record, ports, found))
    if (closed !== undefined) {
      const [reason, message] = closed
      return end(record, at, 'admit', { phase: 'refused', reason, message })
    }
    if (found === undefined) throw new TypeError('an open gate without a class')
    const data = { class: found.name, classHash: found.hash }
    return next({ type: 'admitted', at: rfc3339(at.at), data })
  },
}

function gates(record: IntentRecord, ports: Ports, found: ClassView | undefined): Gate {
  const { claims, agent } = record.authenticated
  const { namespace, name } = claims.target
  const stop = suspended(record, ports, { undo: false })
  if (stop !== undefined) return ['suspended', stop]
  if (ports.clock.now() > (claims.exp + clockSkew) * 1000) {
    return ['not_fresh', 'the intent expired before it could be looked at; sign a new one']
  }
  if (ports.cluster.key(agent.kid)?.revoked !== false) {
    return ['key_revoked', 'the key that signed the intent is revoked or gone']
  }
  if (found === undefined) return ['outside_class', `the class \`${agent.class}\` does not exist`]
  const grant = granted(found, ports.cluster, ports.clock)
  if (!grant.granted) return ['class_not_granted', grant.message]
  if (!livesIn(found, agent.name)) {
    return [
      'outside_class',
      `the class \`${found.name}\` lives in another namespace than the agent`,
    ]
  }
  if (found.spec.autonomy === 'observe') {
    return ['outside_class', `the class \`${found.name}\` may only observe`]
  }
  if (!ports.catalogue.some((a) => a.name === claims.action)) {
    return ['unknown_action', `the catalogue has no action \`${claims.action}\``]
  }
  if (namespace === undefined) return ['invalid_params', 'the target needs a namespace']
  const outside = withinClass(found.spec, { action: claims.action, namespace, name })
  if (outside !== undefined) return ['outside_class', outside]
  if (ports.cluster.namespace(namespace)?.labels[governedLabel] !== 'true') {
    return ['not_governed', `the namespace \`${namespace}\` is not labelled ${governedLabel}=true`]
  }
  return undefined
}

async function quotas(
  record: IntentRecord,
  ports: Ports,
  found: ClassView | undefined,
): Promise<Gate> {
  const { name } = record.authenticated.agent
  const limits = found?.spec.limits
  if (limits === undefined) return undefined
  if (!ports.allowances.take(name, limits.intentsPerMinute)) {
    return ['rate_limited', `more than ${limits.intentsPerMinute} intents a minute`]
  }
  const pending = await ports.allowances.pending(name, record.id)
  if (pending >= limits.pending) {
    return [
      'budget_exhausted',
      `${pending} intents of the agent are pending; the class allows ${limits.pending}`,
    ]
  }
  return undefined
}

import { isRefusal, type Refusal } from '@jackstay/actions/action'
import { clockSkew } from '@jackstay/contract/intent'
import type { IntentRecord } from '@jackstay/contract/record'
import { authorityOf } from './clearance/authority.ts'
import { beyondClass } from './clearance/gates.ts'
import { suspended } from './clearance/suspended.ts'
import { latest } from './limits/latest.ts'
import { next, rfc3339, type Stage } from './line/step.ts'
import { end, moment } from './memory/leaves.ts'
import type { ClassView, Ports } from './ports.ts'
import { windowClosed } from './windows/closed.ts'

/** Cheap gates on caches alone, in this order; the first that closes is the reason. */
export const admit: Stage = {
  name: 'admit',
  onlyLooks: true,
  async run(record, ports) {
    const at = moment(ports)
    const outcome = await pass(record, ports)
    if (isRefusal(outcome)) {
      const { refused: reason, message } = outcome
      return end(record, at, 'admit', { phase: 'refused', reason, message })
    }
    const { name, hash } = outcome.class
    const data = { class: name, classHash: hash }
    return next({ type: 'admitted', at: rfc3339(at.at), data })
  },
}

async function pass(record: IntentRecord, ports: Ports): Promise<{ class: ClassView } | Refusal> {
  const { claims } = record.authenticated
  const stop = suspended(record, ports)
  if (stop !== undefined) return { refused: 'suspended', message: stop }
  if (latest(ports) > (claims.exp + clockSkew) * 1000) {
    const message = 'the intent expired before it could be looked at; sign a new one'
    return { refused: 'not_fresh', message }
  }
  const authority = authorityOf(record, ports)
  if (isRefusal(authority)) return authority
  const broken = await ports.breakers.gate(record)
  if (broken !== undefined) return broken
  const found = authority.class
  const closed = windowClosed(record, ports)
  if (closed !== undefined) return { refused: 'window_closed', message: closed }
  return notForClass(record, ports, found) ?? quotas(record, ports, found) ?? authority
}

function notForClass(record: IntentRecord, ports: Ports, found: ClassView): Refusal | undefined {
  const { claims } = record.authenticated
  if (found.spec.autonomy === 'observe') {
    return { refused: 'outside_class', message: `the class \`${found.name}\` may only observe` }
  }
  if (!ports.catalogue.some((a) => a.name === claims.action)) {
    return {
      refused: 'unknown_action',
      message: `the catalogue has no action \`${claims.action}\``,
    }
  }
  return beyondClass(record, ports, found)
}

function quotas(
  record: IntentRecord,
  ports: Ports,
  { spec: { limits } }: ClassView,
): Refusal | undefined {
  const { name } = record.authenticated.agent
  if (!ports.allowances.take(name, limits.intentsPerMinute)) {
    return {
      refused: 'rate_limited',
      message: `more than ${limits.intentsPerMinute} intents a minute`,
    }
  }
  const pending = ports.allowances.pending(name, record.id)
  if (pending >= limits.pending) {
    return {
      refused: 'budget_exhausted',
      message: `${pending} intents of the agent are pending; the class allows ${limits.pending}`,
    }
  }
  return undefined
}

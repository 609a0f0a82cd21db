import type { Plan } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Facts } from '@jackstay/judge/facts'
import type { Ports } from './ports.ts'

/**
 * What rules may look at: the signed request, the control plane's own plan and reads, the clock.
 * Nothing an agent says about itself, and no trigger.
 */
export function factsOf(record: IntentRecord, plan: Plan, ports: Ports): Facts {
  throw new Error(`not wired ${record.id} ${plan.action} ${ports.clusterUid}`)
}

import { stageNames } from '@jackstay/contract/history'
import type { IntentRecord } from '@jackstay/contract/record'
import { end, moment } from '../memory/leaves.ts'
import type { Ports } from '../ports.ts'
import type { Step } from './step.ts'

/**
 * Whoever may delete the Intent object cancels the intent, as long as nothing was dispatched;
 * after that only the line itself ends it, by verifying or undoing.
 */
export function cancelled(record: IntentRecord, ports: Ports): Step | undefined {
  if (record.dispatched !== undefined) return undefined
  const object = ports.cluster.intentObject(record.id)
  if (!object?.deleting) return undefined
  const at = moment(ports)
  return end(record, at, stageNames.find((name) => name === record.phase) ?? 'admit', {
    phase: 'cancelled',
    reason: 'deleted_by_owner',
    message: 'the Intent object was deleted before anything was dispatched',
  })
}

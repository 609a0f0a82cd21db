import type { Json } from '@jackstay/contract/json'
import { type Trigger, trigger } from '@jackstay/contract/trigger'
import type { StoredTrigger } from '@jackstay/ledger/store'

/** A trigger as its row holds it. */
export function readTrigger({ data, id, status }: StoredTrigger): Trigger {
  return trigger.parse({ ...fieldsOf(data), id, status })
}

/** What was said of it when it came. */
export function fieldsOf(data: Json): { readonly [key: string]: Json } {
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return {}
  return data as { readonly [key: string]: Json }
}

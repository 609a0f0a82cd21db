import { take } from '@jackstay/judge/limits'
import type { Store } from '@jackstay/ledger/store'
import type { Allowances, Clock } from './ports.ts'

export function allowances(store: Store, clock: Clock): Allowances {
  throw new Error(`not wired ${store} ${clock} ${take}`)
}

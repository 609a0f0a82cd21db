import type { Change } from '@jackstay/kube/cache'
import { type Caches, subjectKey } from '../cluster/cluster-caches.ts'
import type { IntentObjectView } from '../ports.ts'
import type { Lookouts, Waiter } from './lookouts.ts'

/** Changes of a busy target are gathered for so long before its intents look again. */
const settleMs = 100

/** Has intents looked at again. */
export interface Waking {
  one(id: string): void
  all(waiters: readonly Waiter[]): void
  later(id: string, ms: number): void
}

/** Whatever moves in the cluster wakes who waits for it. */
export function wakeOnChanges(caches: Caches, waiting: Lookouts, wake: Waking): void {
  caches.approvals.onChange(({ value: { subject } }) => {
    if (subject.kind === 'Intent') wake.one(subject.name)
  })
  caches.policies.onChange(() => wake.all(waiting.on('approvals')))
  caches.classes.onChange(() => wake.all(waiting.on('approvals')))
  caches.intents.onChange((change) => {
    if (isNews(change, caches)) wake.one(change.value.name)
  })
  caches.suspensions.onChange(() => wake.all(waiting.on('suspensions')))
  caches.namespaces.onChange(() => wake.all(waiting.on('suspensions')))
  for (const cache of caches.targets.values()) {
    cache.onChange(({ value: { uid } }) => {
      for (const [id, { settleMs: ms = settleMs }] of waiting.onTarget(uid)) wake.later(id, ms)
    })
  }
}

/** Whether a change of an Intent object is more than our own showing of it. */
function isNews(change: Change<IntentObjectView>, { approvals }: Caches): boolean {
  const { type, value, previous } = change
  if (value.deleting || type === 'deleted') return true
  // approvals that came to us before the object they name
  if (type === 'added') return approvals.findAll(subjectKey('Intent', value.name)).length > 0
  return previous.phase !== undefined
}

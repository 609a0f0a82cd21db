import { JackstayError } from '@jackstay/contract/errors'
import type { WorkQueue } from '@jackstay/kube/queue'

/** After the queue was full, the store is asked again what is open. */
const behindMs = 5_000

/** A full queue loses nothing: what is open stands in the store and is taken up again. */
export interface Places {
  /** @returns whether there was a place */
  take(id: string, inMs?: number): boolean
  /** Whether somebody found none since {@link catchUp}. */
  behind(): boolean
  /** What is open is being taken up again. */
  catchUp(): void
  close(): void
}

/** `onBehind` is called a while after a place was missing, until then once. */
export function places(queue: WorkQueue, onBehind: () => void): Places {
  let behind: NodeJS.Timeout | undefined
  let closed = false
  return {
    take(id, inMs = 0) {
      if (closed) return false
      try {
        if (inMs > 0) queue.addAfter(id, inMs)
        else queue.add(id)
        return true
      } catch (error) {
        if (!(error instanceof JackstayError) || error.code !== 'overloaded') throw error
        behind ??= setTimeout(onBehind, behindMs)
        return false
      }
    },
    behind: () => behind !== undefined,
    catchUp() {
      clearTimeout(behind)
      behind = undefined
    },
    close() {
      closed = true
      clearTimeout(behind)
    },
  }
}

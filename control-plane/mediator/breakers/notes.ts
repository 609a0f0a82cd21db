import type { Json } from '@jackstay/contract/json'
import type { Store } from '@jackstay/ledger/store'

/** What is put is written soon, or at once where it must outlive a crash. */
export interface BreakerNotes {
  put(name: string, value: Json, when: { readonly soon: boolean }): void
  remove(name: string): void
  /** Resolves once everything put before is durable. @throws JackstayError of the store */
  flush(): Promise<void>
}

/** Evidence is gathered so long: a flood costs the store four writes a second, not one per refusal. */
const soonMs = 250
const retryMs = 1000

export function breakerNotes(
  store: Pick<Store, 'putNote'>,
  onError: (error: unknown) => void,
): BreakerNotes {
  const waiting = new Map<string, Json | undefined>()
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()

  const write = async () => {
    clearTimeout(timer)
    timer = undefined
    const batch = [...waiting]
    waiting.clear()
    const written = await Promise.allSettled(
      batch.map(([name, value]) => store.putNote(name, value)),
    )
    const lost = written.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    for (const [i, [name, value]] of batch.entries()) {
      if (written[i]?.status === 'rejected' && !waiting.has(name)) waiting.set(name, value)
    }
    if (lost.length > 0) throw lost[0]
  }
  const flush = () => {
    const next = running.then(write)
    running = next.catch(() => undefined)
    return next
  }
  const later = (ms: number) => {
    timer ??= setTimeout(() => {
      timer = undefined
      flush().catch((error: unknown) => {
        onError(error)
        later(retryMs)
      })
    }, ms)
    timer.unref()
  }
  return {
    put(name, value, { soon }) {
      waiting.set(name, value)
      if (!soon) {
        clearTimeout(timer)
        timer = undefined
      }
      later(soon ? soonMs : 0)
    },
    remove(name) {
      waiting.set(name, undefined)
      later(soonMs)
    },
    flush,
  }
}

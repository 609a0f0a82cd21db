import { canonical } from '@jackstay/contract/json'

/**
 * The same reading asked for by many at once is done once for all of them. It always begins after it was
 * asked for: who asks while one is under way waits for the next one, so nobody is told what was.
 */
export function together<Q, A>(read: (question: Q) => Promise<A>): (question: Q) => Promise<A> {
  /** Bounded by the readings under way. */
  const asked = new Map<string, { readonly running: Promise<unknown>; next?: Promise<A> }>()
  const begin = (key: string, question: Q): Promise<A> => {
    const running = read(question)
    const entry = { running }
    asked.set(key, entry)
    const over = () => {
      if (asked.get(key) === entry) asked.delete(key)
    }
    running.then(over, over)
    return running
  }
  return (question) => {
    const key = canonical(question)
    const known = asked.get(key)
    if (known === undefined) return begin(key, question)
    const again = () => begin(key, question)
    known.next ??= known.running.then(again, again)
    return known.next
  }
}

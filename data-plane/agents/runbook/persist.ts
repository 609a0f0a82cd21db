import { JackstayError } from '@jackstay/contract/errors'
import type { AgentPorts } from './ports.ts'

const maxDelayMs = 30_000

/** Tries again what failed for a passing reason, more and more slowly. */
export async function persist<T>(
  { sleep, onDelay, clock }: Pick<AgentPorts, 'sleep' | 'onDelay' | 'clock'>,
  until: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let delay = 1000; ; delay = Math.min(delay * 2, maxDelayMs)) {
    try {
      return await work()
    } catch (error) {
      const passing = error instanceof JackstayError && error.retryable
      if (!passing || signal.aborted || clock.now() + delay > until) throw error
      onDelay(error)
      await sleep(delay, signal)
      signal.throwIfAborted()
    }
  }
}

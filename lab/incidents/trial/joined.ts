/** One error for all that went wrong: itself where it is the only one. */
export function joined(failures: readonly unknown[]): unknown {
  const [only] = failures
  if (failures.length === 1) return only
  return new AggregateError(failures, failures.map(wordsOf).join('; then '))
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Does one step after another, also when one before failed. @throws what went wrong, joined */
export async function eachStep(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw joined(failures)
}

export interface StopSource {
  on(event: 'SIGINT' | 'SIGTERM', listener: (name: NodeJS.Signals) => void): unknown
  exit(code: number): void
}

/**
 * Fires at the first SIGINT or SIGTERM; a second one ends the process at once with 130 or 143.
 * Called once, by `main.ts`.
 */
export function untilStopped(source: StopSource = process): AbortSignal {
  const controller = new AbortController()
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) source.exit(name === 'SIGINT' ? 130 : 143)
    else controller.abort(new DOMException(`stopped by ${name}`, 'AbortError'))
  }
  source.on('SIGINT', stop)
  source.on('SIGTERM', stop)
  return controller.signal
}

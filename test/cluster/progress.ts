/** One step of something long. `running` repeats every two seconds, so nothing is silent for longer. */
export type Progress = {
  readonly step: string
  readonly state: 'started' | 'running' | 'done' | 'failed'
  readonly elapsedMs: number
}

export type OnProgress = (progress: Progress) => void

const HEARTBEAT_MS = 2_000

/** Runs one step and reports its start, every two seconds of it, and its end. */
export async function inStep<Result>(
  onProgress: OnProgress,
  step: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const begun = performance.now()
  const report = (state: Progress['state']) =>
    onProgress({ step, state, elapsedMs: Math.round(performance.now() - begun) })
  report('started')
  const heartbeat = setInterval(report, HEARTBEAT_MS, 'running')
  try {
    const result = await work()
    report('done')
    return result
  } catch (error) {
    report('failed')
    throw error
  } finally {
    clearInterval(heartbeat)
  }
}

/** A step as a line for people. */
export function progressLine({ step, state, elapsedMs }: Progress): string {
  const seconds = `${(elapsedMs / 1000).toFixed(1)} s`
  switch (state) {
    case 'started':
      return `${step} …`
    case 'running':
      return `${step} … ${seconds}`
    case 'done':
      return `${step}: done in ${seconds}`
    case 'failed':
      return `${step}: failed after ${seconds}`
  }
}

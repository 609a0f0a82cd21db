import { outcomeOf } from '@jackstay/cluster/process'

export interface Timed {
  readonly stdout: string
  readonly stderr: string
  readonly wallSeconds: number
  /** In user and kernel mode, of all its threads. */
  readonly cpuSeconds: number
}

// the shell's `times` says what its child used, which Node does not
const script = `"$@"; code=$?; times >&2; exit $code`

/** Runs a program that must succeed, from its start to its end. */
export async function timed(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Timed> {
  const env = { ...process.env, ...environment }
  const begun = performance.now()
  const outcome = await outcomeOf(['sh', '-c', script, 'sh', ...argv], { env })
  const wallSeconds = (performance.now() - begun) / 1000
  const lines = outcome.stderr.trimEnd().split('\n')
  const times = lines.pop() ?? ''
  lines.pop()
  const stderr = lines.join('\n')
  if (outcome.code !== 0) throw new Error(`\`${argv[0]}\` failed with ${outcome.code}:\n${stderr}`)
  return { stdout: outcome.stdout, stderr, wallSeconds, cpuSeconds: secondsIn(times) }
}

/** `0m1.250s 0m0.410s`: user and kernel. */
function secondsIn(times: string): number {
  const parts = [...times.matchAll(/(\d+)m([\d.]+)s/g)]
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  )
}

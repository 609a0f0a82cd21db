import { spawn } from 'node:child_process'
import { styleText } from 'node:util'

export interface Skip {
  readonly name: string
  readonly reason: string
}

/** What became of one step: of single tests where it ran some. */
export interface Outcome {
  readonly ok: boolean
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly Skip[]
  /** Shown in full when the step failed, never otherwise. */
  readonly output: string
}

export interface Step {
  readonly name: string
  run(): Promise<Outcome>
}

const { stdout } = process

/** Runs steps in order, one line each; a failed step shows its output and the next one still runs. */
export async function runSteps(steps: readonly Step[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const { name, run } of steps) {
    const startedAt = performance.now()
    const outcome = await run().catch(failedWith)
    outcomes.push(outcome)
    const seconds = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`.padStart(8)
    const mark = outcome.ok ? styleText('green', '✔') : styleText('red', '✘')
    stdout.write(`${mark} ${name.padEnd(12)} ${seconds}${counted(outcome)}\n`)
    if (!outcome.ok) stdout.write(`${outcome.output.trimEnd()}\n\n`)
  }
  return outcomes
}

function counted({ passed, failed, skipped }: Outcome): string {
  if (passed + failed + skipped.length === 0) return ''
  const parts = [`${passed} passed`]
  if (failed > 0) parts.push(`${failed} failed`)
  if (skipped.length > 0) parts.push(`${skipped.length} skipped`)
  return `  ${parts.join(', ')}`
}

function failedWith(error: unknown): Outcome {
  const output = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { ...nothing, ok: false, output }
}

export const nothing: Outcome = { ok: true, passed: 0, failed: 0, skipped: [], output: '' }

/** A step that is one program; it fails with the program. */
export function command(name: string, program: string, args: readonly string[], cwd: string): Step {
  return { name, run: () => runProgram(program, args, cwd) }
}

function runProgram(program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  child.once('error', reject)
  child.once('close', (code) => resolve({ ...nothing, ok: code === 0, output }))
  return promise
}

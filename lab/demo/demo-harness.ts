import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commandLines } from '@jackstay/cluster/process'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** The `sh` blocks of a page. */
export function blocksOf(page: string): string[] {
  const text = readFileSync(`${root}${page}`, 'utf8')
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '')
}

/** `npm start` as somebody types it, and what it says. */
export class Demo {
  readonly #child: ChildProcess
  readonly exited: Promise<number | null>
  output = ''

  constructor(flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn('npm', ['start', '--', ...flags], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.output += chunk
      })
    }
    this.exited = new Promise((resolve) => this.#child.once('exit', resolve))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** What a terminal does on Ctrl-C: the whole foreground group gets the signal. */
  interrupt(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      process.kill(-this.pid, 'SIGINT')
    }
  }

  async says(pattern: RegExp, withinMs: number): Promise<RegExpMatchArray> {
    const until = performance.now() + withinMs
    let gone = false
    void this.exited.then(() => {
      gone = true
    })
    for (;;) {
      const match = this.output.match(pattern)
      if (match !== null) return match
      if (gone) throw new Error(`the demo ended before it said ${pattern}:\n${this.output}`)
      if (performance.now() > until) throw new Error(`not said ${pattern}:\n${this.output}`)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

/** Command lines of processes that have one of these words in them. */
export function running(words: readonly string[]): string[] {
  // not every Linux has `ps`
  const lines =
    process.platform === 'linux'
      ? commandLines()
      : execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => words.some((word) => line.includes(word)))
}

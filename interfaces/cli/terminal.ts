import { userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import type { Line } from './screen.ts'
import { render, renderJson } from './screen.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Everything the CLI may touch of the process it runs in. */
export interface Terminal {
  readonly env: Environment
  /** Whether somebody sits there who can answer. */
  readonly interactive: boolean
  readonly colours: boolean
  /** Whether standard error is a screen, where a row can be written again and again. */
  readonly livingErr?: boolean
  out(text: string): void
  err(text: string): void
  /** @throws AbortError when the user gives up */
  ask(question: string): Promise<string>
  /** What is piped in. */
  input(): AsyncIterable<Uint8Array>
  /** A value as machines read it; JSON unless told otherwise. */
  readonly data?: (value: unknown) => string
  /** Aborted when the user gives up. */
  readonly signal: AbortSignal
}

export function print(terminal: Terminal, lines: readonly Line[]): void {
  terminal.out(render(lines, terminal.colours, terminal.env))
}

export function printData(terminal: Terminal, value: unknown): void {
  terminal.out((terminal.data ?? renderJson)(value))
}

/** Who runs this; undefined for a number without a name, as containers have. */
function userName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}

/** The real terminal. */
export function processTerminal(signal: AbortSignal): Terminal {
  const { stdin, stdout, stderr, env } = process
  return {
    env: { ...env, USER: env.USER || env.LOGNAME || userName() },
    signal,
    interactive: stdin.isTTY === true && stdout.isTTY === true,
    colours: stdout.isTTY === true && env.NO_COLOR === undefined && env.TERM !== 'dumb',
    livingErr: stderr.isTTY === true && env.TERM !== 'dumb',
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    input: () => stdin,
    async ask(question) {
      const lines = createInterface({ input: stdin, output: stdout })
      // readline keeps Ctrl-C to itself; it is meant for the whole program
      lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
      try {
        return await lines.question(question, { signal })
      } finally {
        lines.close()
      }
    },
  }
}

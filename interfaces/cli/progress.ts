import type { Terminal } from './terminal.ts'

const everyMs = 2000

/** Tells people how far a long command is, at most every two seconds and never into its output. */
export function progressOf(terminal: Terminal, what: string): (done: number) => void {
  let told = performance.now()
  return (done) => {
    if (performance.now() - told < everyMs) return
    told = performance.now()
    terminal.err(`… ${done} ${what}\n`)
  }
}

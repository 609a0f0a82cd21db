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

const tickMs = 1000
const patientTicks = 2
const wiped = '\r\u001b[2K'

/**
 * A terminal on which a command that says nothing for two seconds shows that it goes on, in one row of
 * standard error that is gone before anything else is written. Not while somebody types.
 */
export function showingLife(terminal: Terminal): { readonly terminal: Terminal; end(): void } {
  if (terminal.livingErr !== true) return { terminal, end: () => undefined }
  let [ticks, quiet, typing, shown] = [0, 0, false, false]
  const wipe = () => {
    if (shown) terminal.err(wiped)
    shown = false
    quiet = 0
  }
  const timer = setInterval(() => {
    ticks += 1
    quiet += 1
    if (typing || quiet < patientTicks) return
    terminal.err(`${wiped}… still working (${ticks} s)`)
    shown = true
  }, tickMs)
  const first = <A, R>(write: (given: A) => R) => {
    return (given: A) => {
      wipe()
      return write(given)
    }
  }
  const ask = async (question: string) => {
    wipe()
    typing = true
    try {
      return await terminal.ask(question)
    } finally {
      typing = false
      quiet = 0
    }
  }
  const input = () => {
    wipe()
    typing = true
    return terminal.input()
  }
  const living = { ...terminal, out: first(terminal.out), err: first(terminal.err), ask, input }
  const end = () => {
    clearInterval(timer)
    wipe()
  }
  return { terminal: living, end }
}

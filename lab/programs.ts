import { join } from 'node:path'

/** The main file of each program that leaves the checkout, from its root. */
export const entries = {
  mediator: 'control-plane/mediator/main.ts',
  registrar: 'control-plane/registrar/main.ts',
  sidecar: 'data-plane/sidecar/main.ts',
  'kubernetes-read': 'data-plane/tools/kubernetes-read/main.ts',
  'runbook-agent': 'data-plane/agents/runbook/main.ts',
  jackstay: 'interfaces/cli/main.ts',
} as const

interface NodeProgram {
  readonly main: string
  /** Of Node.js itself, before the program. */
  readonly nodeFlags: readonly string[]
}

/**
 * Of Node.js, for many programs on one machine of which none is busy. What V8 needs to make the parser of
 * HTTP answers a little faster is ten megabytes, which a program then keeps.
 */
export const smallFlags: readonly string[] = ['--memory-saver-mode', '--liftoff-only']

/** One of our programs: as `npm start` put it together where it did, else its source. */
export function programOf(name: keyof typeof entries): NodeProgram {
  const bundles = process.env.JACKSTAY_PROGRAMS
  if (bundles !== undefined) return { main: join(bundles, `${name}.mjs`), nodeFlags: smallFlags }
  return { main: new URL(`../${entries[name]}`, import.meta.url).pathname, nodeFlags: [] }
}

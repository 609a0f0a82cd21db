import { join } from 'node:path'

const sources = {
  mediator: new URL('../control-plane/mediator/main.ts', import.meta.url).pathname,
  registrar: new URL('../control-plane/registrar/main.ts', import.meta.url).pathname,
  'kubernetes-read': new URL('../data-plane/tools/kubernetes-read/main.ts', import.meta.url)
    .pathname,
  sidecar: new URL('../data-plane/sidecar/main.ts', import.meta.url).pathname,
  'runbook-agent': new URL('../data-plane/agents/runbook/main.ts', import.meta.url).pathname,
  jackstay: new URL('../interfaces/cli/main.ts', import.meta.url).pathname,
} as const

/** Main file of one of our programs: its bundle where `npm start` made them, else its source. */
export function mainOf(program: keyof typeof sources): string {
  const bundles = process.env.JACKSTAY_PROGRAMS
  return bundles === undefined ? sources[program] : join(bundles, `${program}.mjs`)
}

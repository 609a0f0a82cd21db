import { setTimeout } from 'node:timers/promises'
import { logger } from '@jackstay/service/log'
import { settings } from '@jackstay/service/settings'
import { untilStopped } from '@jackstay/service/signals'
import { z } from 'zod'
import { runAgent } from './agent.ts'
import { sidecarAt } from './sidecar.ts'

const schema = z.strictObject({
  sidecarUrl: z
    .url({ protocol: /^http$/, hostname: /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/ })
    .default('http://127.0.0.1:7442')
    .describe('address of the sidecar, on this machine'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('least severe event written'),
})

const config = settings(schema, {
  argv: process.argv.slice(2),
  env: process.env,
  help: 'runbook-agent: brings back Deployments that were scaled to zero, by asking for it',
})
// its events are what it is for, so they go to standard output
const log = logger({
  name: 'runbook-agent',
  level: config.logLevel,
  write: (line) => process.stdout.write(line),
})
await runAgent(
  {
    sidecar: sidecarAt(config.sidecarUrl, fetch),
    tell: (event, detail) => log.info({ event, ...detail }, event),
    onDelay: (err) =>
      log.warn({ event: 'agent.delayed', code: err.code, why: err.message }, 'agent.delayed'),
    clock: Date,
    sleep: (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => {}),
  },
  untilStopped(),
)

import { setTimeout } from 'node:timers/promises'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { logLevel, runProgram } from '@jackstay/service/program'
import { createApp, serve } from '@jackstay/service/server'
import { settings } from '@jackstay/service/settings'
import { untilStopped } from '@jackstay/service/signals'
import { z } from 'zod'
import { runAgent } from './agent.ts'
import { sidecarAt } from './sidecar.ts'
import { telling } from './telling.ts'

const schema = z.strictObject({
  sidecarUrl: z
    .url({ protocol: /^http$/, hostname: /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/ })
    .default('http://127.0.0.1:7442')
    .describe('address of the sidecar, on this machine'),
  port: z.int().min(0).max(65535).default(7445).describe('port on 127.0.0.1 for metrics'),
  cordonSettledSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(600)
    .describe('how long a node has to be cordoned before that counts as left behind'),
  logLevel,
})

async function main(): Promise<void> {
  const config = settings(schema, {
    argv: process.argv.slice(2),
    env: process.env,
    help: 'runbook-agent: knows eight incidents of Deployments, and asks for what ends them',
  })
  const name = 'runbook-agent'
  // its events are what it is for, so they go to standard output
  const log = logger({ name, level: config.logLevel, write: (line) => process.stdout.write(line) })
  const meters = metrics({ name })
  const stopped = untilStopped()
  const server = await serve({
    name,
    app: createApp({ name, log, metrics: meters }),
    host: '127.0.0.1',
    port: config.port,
    log,
    metrics: meters,
    signal: stopped,
    ready: () => [],
  })
  const ports = {
    sidecar: sidecarAt(config.sidecarUrl, fetch),
    tell: telling(log, meters),
    onDelay: (err: { code: string; message: string }) =>
      log.warn({ event: 'agent.delayed', code: err.code, why: err.message }, 'agent.delayed'),
    clock: Date,
    sleep: (ms: number, signal: AbortSignal) =>
      setTimeout(ms, undefined, { signal }).catch(() => {}),
    cordonSettledMs: config.cordonSettledSeconds * 1000,
  }
  await runAgent(ports, stopped)
  await server.closed
}

await runProgram(main)

import { readFileSync } from 'node:fs'
import { JackstayError } from '@jackstay/contract/errors'
import { connect } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { callers } from '@jackstay/service/caller'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { rateLimiter } from '@jackstay/service/rate'
import { serve } from '@jackstay/service/server'
import { settings } from '@jackstay/service/settings'
import { untilStopped } from '@jackstay/service/signals'
import { z } from 'zod'
import { kubernetesReadApp } from './app.ts'
import { readPod } from './pod.ts'

const schema = z.strictObject({
  kubeconfig: z
    .string()
    .optional()
    .describe('kubeconfig file; without it as kubectl finds one, then the Pod itself'),
  context: z.string().optional().describe('context of the kubeconfig'),
  host: z.string().default('127.0.0.1').describe('address to listen on'),
  port: z.int().min(0).max(65535).default(7443).describe('port to listen on'),
  tlsCert: z.string().optional().describe('PEM certificate file; needed beyond loopback'),
  tlsKey: z.string().optional().describe('PEM key file; needed beyond loopback'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('least severe event logged'),
})

async function main(): Promise<void> {
  const config = settings(schema, {
    argv: process.argv.slice(2),
    env: process.env,
    help: 'jackstay-kubernetes-read: get and list for agents, with their own rights, never Secrets',
  })
  const name = 'jackstay-kubernetes-read'
  const { kubeconfig, context, host, port, tlsCert, tlsKey } = config
  const log = logger({ name, level: config.logLevel })
  const meters = metrics({ name })
  const stopped = untilStopped()
  const client = connect(
    loadConfig({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) }),
    { userAgent: name },
  )
  const clock = () => performance.now()
  const app = kubernetesReadApp({
    client,
    callers: callers({ reviewer: client, clock }),
    pod: (namespace, podName, signal) => readPod(client, namespace, podName, signal),
    limiter: rateLimiter({ perSecond: 10, burst: 50, maxKeys: 10_000, clock }),
    log,
    metrics: meters,
  })
  const server = await serve({
    name,
    app,
    host,
    port,
    log,
    metrics: meters,
    signal: stopped,
    ready: () => [],
    ...((tlsCert || tlsKey) && {
      tls: { cert: readPem('tls-cert', tlsCert), key: readPem('tls-key', tlsKey) },
    }),
  })
  await server.closed
  await client.close()
}

function readPem(flag: string, path: string | undefined): string {
  try {
    if (path !== undefined) return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new JackstayError(
      'invalid_config',
      `\`--${flag}\`: cannot read \`${path}\`; check the path`,
      { cause },
    )
  }
  throw new JackstayError(
    'invalid_config',
    `\`--${flag}\` is missing; TLS needs certificate and key`,
  )
}

try {
  await main()
} catch (error) {
  if (!(error instanceof JackstayError)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n`)
  process.exit(error.code === 'invalid_config' ? 2 : 1)
}

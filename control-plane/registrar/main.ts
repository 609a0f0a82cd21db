import { readFileSync } from 'node:fs'
import { JackstayError } from '@jackstay/contract/errors'
import { connect } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { clusterUid } from '@jackstay/kube/identity'
import { callers } from '@jackstay/service/caller'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { rateLimiter } from '@jackstay/service/rate'
import { serve } from '@jackstay/service/server'
import { settings } from '@jackstay/service/settings'
import { untilStopped } from '@jackstay/service/signals'
import { z } from 'zod'
import { registrarApp } from './app.ts'
import { classesOf, keyStore, readPod } from './cluster.ts'
import { learn } from './learn.ts'

const schema = z.strictObject({
  kubeconfig: z
    .string()
    .optional()
    .describe('kubeconfig file; without it as kubectl finds one, then the Pod itself'),
  context: z.string().optional().describe('context of the kubeconfig'),
  host: z.string().default('127.0.0.1').describe('address to listen on'),
  port: z.int().min(0).max(65535).default(7441).describe('port to listen on'),
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
    help: 'jackstay-registrar: turns a proof of possession and a Pod-bound token into an AgentKey',
  })
  const name = 'jackstay-registrar'
  const { kubeconfig, context, host, port, tlsCert, tlsKey } = config
  const log = logger({ name, level: config.logLevel })
  const meters = metrics({ name })
  const stopped = untilStopped()
  const client = connect(
    loadConfig({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) }),
    { userAgent: name },
  )
  const cluster = learn((signal) => clusterUid(client, signal), {
    signal: stopped,
    onError: (err) => log.warn({ err }, 'the cluster uid is not known yet'),
  })
  const clock = () => performance.now()
  const app = registrarApp({
    log,
    metrics: meters,
    limiter: rateLimiter({ perSecond: 2, burst: 20, maxKeys: 10_000, clock }),
    ports: {
      clock: Date,
      clusterUid: cluster.value,
      // nothing remembered: an enrolment is rare and must see the token as it is now
      tokens: callers({ reviewer: client, clock, ttlMs: 0, maxEntries: 1 }),
      pod: (namespace, podName, signal) => readPod(client, namespace, podName, signal),
      classesOf: (namespace, signal) => classesOf(client, namespace, signal),
      keys: keyStore(client),
    },
  })
  const server = await serve({
    name,
    app,
    host,
    port,
    log,
    metrics: meters,
    signal: stopped,
    ready: () => (cluster.known() ? [] : ['the API server has not told its cluster uid yet']),
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

import { connect } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { clusterUid } from '@jackstay/kube/identity'
import { callers } from '@jackstay/service/caller'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { programSettings, runProgram, tlsFrom } from '@jackstay/service/program'
import { rateLimiter } from '@jackstay/service/rate'
import { serve } from '@jackstay/service/server'
import { settings } from '@jackstay/service/settings'
import { untilStopped } from '@jackstay/service/signals'
import { z } from 'zod'
import { registrarApp } from './app.ts'
import { classesOf, keyStore, readPod } from './cluster.ts'
import { learn } from './learn.ts'

const schema = z.strictObject(programSettings(7441))

async function main(): Promise<void> {
  const config = settings(schema, {
    argv: process.argv.slice(2),
    env: process.env,
    help: 'jackstay-registrar: turns a proof of possession and a Pod-bound token into an AgentKey',
  })
  const name = 'jackstay-registrar'
  const { kubeconfig, context, host, port } = config
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
    ...tlsFrom(config),
  })
  await server.closed
  await client.close()
}

await runProgram(main)

import { connect } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { callers } from '@jackstay/service/caller'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { programSettings, runProgram, tlsFrom } from '@jackstay/service/program'
import { rateLimiter } from '@jackstay/service/rate'
import { serve } from '@jackstay/service/server'
import { settings } from '@jackstay/service/settings'
import { untilStopped } from '@jackstay/service/signals'
import { z } from 'zod'
import { kubernetesReadApp } from './app.ts'
import { readPod } from './live-pod.ts'

const schema = z.strictObject(programSettings(7443))

async function main(): Promise<void> {
  const config = settings(schema, {
    argv: process.argv.slice(2),
    env: process.env,
    help: 'jackstay-kubernetes-read: what agents see of the cluster, with their own rights, never Secrets',
  })
  const name = 'jackstay-kubernetes-read'
  const { kubeconfig, context, host, port } = config
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
    ...tlsFrom(config),
  })
  await server.closed
  await client.close()
}

await runProgram(main)

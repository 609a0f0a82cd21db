import { randomBytes } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { uuid } from '@jackstay/contract/text'
import { logger, redactor } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { logLevel, runProgram } from '@jackstay/service/program'
import { serve } from '@jackstay/service/server'
import { settings } from '@jackstay/service/settings'
import { untilStopped } from '@jackstay/service/signals'
import { v7 } from 'uuid'
import { z } from 'zod'
import { sidecarApp } from './app.ts'
import { askClusterUid, enroller, readEnrolment } from './enrolment.ts'
import { loadKey } from './key.ts'
import { openReceipts } from './receipts.ts'
import { openSequence } from './sequence.ts'
import { tokenFiles } from './tokens.ts'
import { upstream } from './upstream.ts'
import { openVolume } from './volume.ts'

const address = z.string().refine((text) => isPrivate(text), {
  message: 'an `https://` address is expected, or `http://` on 127.0.0.1',
})
const tokenDir = '/var/run/secrets/jackstay.dev/tokens'

const schema = z.strictObject({
  mediatorUrl: address.default('http://127.0.0.1:7440').describe('address of the mediator'),
  registrarUrl: address.default('http://127.0.0.1:7441').describe('address of the registrar'),
  toolsUrl: address.default('http://127.0.0.1:7443').describe('address of kubernetes-read'),
  keyDir: z.string().min(1).default('/var/run/jackstay/key').describe('memory volume for the key'),
  enrolTokenFile: z.string().default(`${tokenDir}/enrol`).describe('token for jackstay-enrol'),
  intentTokenFile: z.string().default(`${tokenDir}/intent`).describe('token for jackstay-intent'),
  toolsTokenFile: z.string().default(`${tokenDir}/tools`).describe('token for jackstay-tools'),
  clusterUid: uuid.optional().describe('uid of kube-system; asked of the mediator if not given'),
  port: z.int().min(0).max(65535).default(7442).describe('port on 127.0.0.1'),
  logLevel,
})

const messages = {
  enrolled: 'key enrolled',
  delayed: 'enrolment delayed',
  refused: 'enrolment refused for good',
} as const

function isPrivate(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, search, hash } = new URL(text)
  if (search !== '' || hash !== '') return false
  const loopback = hostname === 'localhost' || hostname === '[::1]'
  const local = loopback || (isIPv4(hostname) && hostname.startsWith('127.'))
  return protocol === 'https:' || (protocol === 'http:' && local)
}

async function main(): Promise<void> {
  const config = settings(schema, {
    argv: process.argv.slice(2),
    env: process.env,
    help: "jackstay-sidecar: an agent's identity and its only way to the control plane",
  })
  const name = 'jackstay-sidecar'
  const tokens = tokenFiles({
    enrol: config.enrolTokenFile,
    intent: config.intentTokenFile,
    tools: config.toolsTokenFile,
  })
  const log = logger({ name, level: config.logLevel, redact: redactor(tokens.held) })
  const meters = metrics({ name })
  const stopped = untilStopped()
  const to = (program: string, url: string) => upstream({ name: program, url, fetch })
  const mediator = to('mediator', config.mediatorUrl)
  const volume = await openVolume(config.keyDir)
  const key = await loadKey(volume)
  const enrolment = enroller({
    volume,
    key,
    tokens,
    registrar: to('registrar', config.registrarUrl),
    clock: Date,
    remembered: await readEnrolment(volume, key),
    onEvent: (event, detail) =>
      log[event === 'enrolled' ? 'info' : 'warn'](detail, messages[event]),
    clusterUid: async (signal) =>
      config.clusterUid ?? (await askClusterUid(mediator, tokens, signal)),
  })
  const app = sidecarApp({
    key,
    receipts: await openReceipts(volume, Date),
    stopping: stopped,
    run: randomBytes(4).toString('hex'),
    sequence: await openSequence(volume),
    enroller: enrolment,
    tokens,
    mediator,
    tools: to('kubernetes-read tool', config.toolsUrl),
    clock: Date,
    ids: { intent: () => v7(), salt: () => randomBytes(16).toString('hex') },
    sleep: (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => {}),
    log,
    metrics: meters,
  })
  const server = await serve({
    name,
    app,
    host: '127.0.0.1',
    port: config.port,
    log,
    metrics: meters,
    signal: stopped,
    ready: () => [enrolment.problem()].filter((why) => why !== undefined),
  })
  await enrolment.run(stopped)
  await server.closed
}

await runProgram(main)

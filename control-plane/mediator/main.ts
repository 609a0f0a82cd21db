import { mkdir } from 'node:fs/promises'
import { catalogue, catalogueVersion } from '@jackstay/actions/catalogue'
import { JackstayError } from '@jackstay/contract/errors'
import { connect } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { clusterUid } from '@jackstay/kube/identity'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { loadLedgerPolicy, noLedgerPolicy } from '@jackstay/ledger/ledger-policy'
import { openLedger } from '@jackstay/ledger/place'
import { recoveredAt } from '@jackstay/ledger/recovery'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { programSettings, tlsFrom } from '@jackstay/service/program'
import { redactor } from '@jackstay/service/redact'
import { settings } from '@jackstay/service/settings'
import { untilStopped } from '@jackstay/service/signals'
import { staticToken, tokenFile, tokenIn } from '@jackstay/service/static-token'
import { noTraces, otlpTraces } from '@jackstay/service/traces'
import { z } from 'zod'
import { readThresholds } from './breakers/wire.ts'
import { openOutside } from './memory/outside.ts'
import { runMediator } from './run.ts'
import { assertPrivate } from './wiring/private-url.ts'

const { host, port, tlsCert, tlsKey } = programSettings(7440)

const schema = z.object({
  kubeconfig: z
    .string()
    .optional()
    .describe('file with the credentials of jackstay-mediator; in a cluster, leave it out'),
  dataDir: z.string().min(1).describe('directory of the ledger and its key; kept between starts'),
  ledgerUrlFile: z
    .string()
    .optional()
    .describe('file with the URL of a PostgreSQL for the ledger; without it, SQLite in --data-dir'),
  ledgerSchema: z
    .string()
    .default('jackstay')
    .describe('schema of the ledger in PostgreSQL, one log each'),
  alertTokenFile: z
    .string()
    .min(1)
    .describe('file with the bearer token Alertmanager sends, one per line'),
  ledgerPolicy: z
    .string()
    .min(1)
    .optional()
    .describe('file that names witnesses and places that keep checkpoints'),
  pagerUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('an Alertmanager that is told what waits for people; without it nobody is paged'),
  pagerTokenFile: z
    .string()
    .min(1)
    .optional()
    .describe('file with the bearer token for it; read again before each post'),
  tracesUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'an OpenTelemetry collector, as `http://collector:4318/v1/traces`: one trace an intent',
    ),
  tracesTokenFile: z
    .string()
    .min(1)
    .optional()
    .describe('file with the bearer token for it; read again before each post'),
  breakers: z
    .string()
    .min(1)
    .optional()
    .describe('file (JSON) with thresholds of breakers other than the documented ones'),
  host,
  port,
  tlsCert,
  tlsKey,
  shownHours: z.coerce
    .number()
    .min(0.01)
    .max(24 * 30)
    .default(24)
    .describe('how long an ended intent stays visible as an object, in hours'),
  staleSeconds: z.coerce
    .number()
    .int()
    .min(3)
    .max(300)
    .default(30)
    .describe('without contact to the API server for so long, everything is refused, in seconds'),
  oneOperator: z
    .boolean()
    .default(false)
    .describe('one person is on call: every requirement counts one approval; gives up four eyes'),
})

const options = settings(schema, {
  argv: process.argv.slice(2),
  env: process.env,
  help: 'jackstay-mediator: the line from a signed intent to a verified change',
})
const signal = untilStopped()

try {
  const { tracesUrl, tracesTokenFile } = options
  assertPrivate('--traces-token-file', tracesUrl, tracesTokenFile)
  assertPrivate('--pager-token-file', options.pagerUrl, options.pagerTokenFile)
  const tls = tlsFrom(options)
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const alertToken = await staticToken(tokenFile(options.alertTokenFile))
  const redact = redactor(() => alertToken.values())
  const log = logger({ name: 'jackstay-mediator', redact })
  const registry = metrics({ name: 'jackstay-mediator' })
  const config = loadConfig(
    options.kubeconfig === undefined ? { inCluster: true } : { kubeconfig: options.kubeconfig },
  )
  const policy =
    options.ledgerPolicy === undefined
      ? noLedgerPolicy
      : await loadLedgerPolicy(options.ledgerPolicy)
  const breakerThresholds = await readThresholds(options.breakers)
  const client = connect(config, { userAgent: 'jackstay-mediator/0.1.0' })
  const uid = await clusterUid(client, signal)
  const origin = `jackstay.dev/${uid}`
  const key = await loadOrCreateKey(options.dataDir, origin, options)
  const store = await openLedger(options, key, Date, { leads: true })
  const outside = await openOutside({
    ...{ store, policy, fetch, log, signal, dataDir: options.dataDir, vkey: key.vkey },
    ...{ metrics: registry, clock: Date, random: Math.random },
  })
  const traces =
    tracesUrl === undefined
      ? noTraces
      : await otlpTraces({
          ...{ url: new URL(tracesUrl), program: 'jackstay-mediator', metrics: registry, log },
          token: tracesTokenFile === undefined ? undefined : tokenIn(tracesTokenFile),
        })
  await runMediator({
    ...options,
    ...tls,
    outside,
    client,
    clusterUid: uid,
    store,
    vkey: key.vkey,
    pagerTo:
      options.pagerUrl === undefined
        ? undefined
        : { url: new URL(options.pagerUrl), tokenFile: options.pagerTokenFile },
    traces,
    intentsFrom: await recoveredAt(store),
    alertToken,
    breakerThresholds,
    redact,
    log,
    metrics: registry,
    clock: Date,
    catalogue,
    catalogueVersion,
    signal,
  })
} catch (error) {
  if (!(error instanceof JackstayError)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n`)
  // what was opened by then would keep the process, and the ledger, for ever
  process.exit(error.code === 'invalid_config' ? 2 : 1)
}

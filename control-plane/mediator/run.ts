import { serve } from '@jackstay/service/server'
import { mediatorApp } from './app.ts'
import { oneOperatorWarning } from './clearance/one-operator.ts'
import { type DriverOptions, startDriver } from './driving/driver.ts'
import { sweep } from './driving/sweep.ts'
import { flushing } from './flood/start.ts'
import { startPager } from './pager/start.ts'
import { appParts, notReady } from './wiring/app-parts.ts'
import { driverOptions } from './wiring/driver-options.ts'
import type { MediatorOptions } from './wiring/options.ts'
import { openParts, type Parts } from './wiring/parts.ts'

const sweepMs = 5_000
const drainMs = 10_000

/** Wires the line to its cluster, store and callers, and runs it until the signal aborts. */
export async function runMediator(options: MediatorOptions): Promise<void> {
  const { store, log, metrics, host, port, tls, signal } = options
  const parts = await openParts(options, () => driver.recheck())
  announceMode(options)
  const driven = driverOptions(options, parts)
  const driver = startDriver(driven)
  parts.statuses.use(parts.breakers)
  const server = await serve({
    name: 'jackstay-mediator',
    app: mediatorApp(appParts(options, parts, driver)),
    ...{ host, port, metrics, log, drainMs, signal, ...(tls && { tls }) },
    ready: () => notReady(parts),
  })
  const recovered = await driver.recover()
  log.info({ url: server.url, recovered, ledger: store.origin }, 'mediator started')
  const besides = runBesides(options, parts, driven)
  await server.closed
  await driver.drain(AbortSignal.timeout(drainMs)).catch((err: unknown) => {
    log.warn({ err }, 'intents were still under way; they go on after the next start')
  })
  parts.statuses.stop()
  await besides
  await close(options, parts)
  log.info('mediator stopped')
}

/** What goes on beside the line until the signal aborts. */
async function runBesides(
  options: MediatorOptions,
  { cluster, breakers, hindrance, refusals }: Parts,
  driven: DriverOptions,
): Promise<void> {
  const { outside, shownHours, log, signal } = options
  await Promise.all([
    sweep(driven, shownHours * 3600_000, sweepMs, signal),
    flushing(refusals, log, signal),
    outside.run(),
    startPager({ ...options, cluster, breakers, hindrance }),
    hindrance.run(),
  ])
}

async function close({ traces, store, client }: MediatorOptions, parts: Parts): Promise<void> {
  await parts.close()
  await parts.breakers.flush()
  await traces.close()
  await store.close()
  await client.close()
}

/** Said where people look who did not start the program. */
function announceMode({ oneOperator, log, metrics }: MediatorOptions): void {
  metrics.gaugeOf(
    'jackstay_one_operator',
    '1 while every requirement counts one approval and one person may serve them all',
    () => (oneOperator ? 1 : 0),
  )
  if (oneOperator) log.warn({ oneOperator }, oneOperatorWarning)
}

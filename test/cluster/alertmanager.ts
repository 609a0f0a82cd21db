import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stringify } from 'yaml'
import { goProgram } from './go-program.ts'
import { alertmanager } from './go-recipes.ts'
import { freePorts } from './ports.ts'
import type { OnProgress } from './progress.ts'

export type AlertmanagerOptions = {
  /** Holds configuration, data and log; made if it is not there, and left. */
  readonly directory: string
  /** Where alerts are posted to, in Alertmanager's own format. */
  readonly webhookUrl: string
  readonly bearerToken: string
  readonly signal?: AbortSignal | undefined
}

/** Its labels say which alert it is: two with the same labels are one. */
export type Alert = {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** RFC 3339; now unless given. */
  readonly startsAt?: string
}

export type Alertmanager = {
  readonly url: string
  /** Tells Alertmanager that the alert fires; it posts at once. */
  fire(alert: Alert): Promise<void>
  /** Tells it that the alert is over; it posts within about a second. */
  resolve(alert: Pick<Alert, 'labels'>): Promise<void>
  stop(): Promise<void>
}

const READY_MS = 30_000

/** Starts a real Alertmanager on a free loopback port; it ends with this process at the latest. */
export async function startAlertmanager(
  options: AlertmanagerOptions,
  onProgress: OnProgress = () => {},
): Promise<Alertmanager> {
  const { directory, signal } = options
  const binary = await goProgram(alertmanager, onProgress, signal)
  await mkdir(directory, { recursive: true })
  const tokenFile = join(directory, 'token')
  await writeFile(tokenFile, options.bearerToken, { mode: 0o600 })
  const configFile = join(directory, 'alertmanager.yaml')
  await writeFile(configFile, alertmanagerConfig(options.webhookUrl, tokenFile))
  const [port = 0] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const log = join(directory, 'alertmanager.log')
  const stop = startTied(
    [
      binary,
      `--config.file=${configFile}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      // it is alone and looks for no peers
      '--cluster.listen-address=',
    ],
    log,
  )
  signal?.addEventListener('abort', () => void stop(), { once: true })
  try {
    await ready(url, log, signal)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    fire: (alert) => post(url, { startsAt: new Date().toISOString(), ...alert }, signal),
    resolve: ({ labels }) => post(url, { labels, endsAt: new Date().toISOString() }, signal),
    stop,
  }
}

/** Every alert by itself, posted at once, with a token that is read from a file. */
export function alertmanagerConfig(webhookUrl: string, tokenFile: string): string {
  const authorization = { type: 'Bearer', credentials_file: tokenFile }
  const webhook = { url: webhookUrl, send_resolved: true, http_config: { authorization } }
  return stringify({
    // an alert that nobody repeats would otherwise be over after five minutes
    global: { resolve_timeout: '24h' },
    route: {
      receiver: 'jackstay',
      group_by: ['...'],
      group_wait: '0s',
      group_interval: '1s',
      repeat_interval: '24h',
    },
    receivers: [{ name: 'jackstay', webhook_configs: [webhook] }],
  })
}

// a shell between us ends the program when the pipe from this process closes, in whatever way we end
function startTied(argv: readonly string[], log: string): () => Promise<void> {
  const script = '"$@" </dev/null & child=$!; read -r _; kill "$child"; wait "$child"'
  const output = openSync(log, 'a')
  const shell = spawn('/bin/sh', ['-c', script, 'tied', ...argv], {
    // a Ctrl-C in the terminal is this process's to act on
    detached: true,
    stdio: ['pipe', output, output],
  })
  closeSync(output)
  const ended = new Promise<void>((resolve) => {
    shell.once('close', () => resolve())
    shell.once('error', () => resolve())
  })
  shell.stdin?.once('error', () => {})
  return () => {
    shell.stdin?.end()
    return ended
  }
}

async function ready(url: string, log: string, signal: AbortSignal | undefined): Promise<void> {
  const end = performance.now() + READY_MS
  while (performance.now() < end) {
    signal?.throwIfAborted()
    const answer = await fetch(`${url}/-/ready`, deadline(signal)).catch(() => undefined)
    if (answer?.ok) return
    await delay(50)
  }
  const said = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-8) : []
  throw new Error(`Alertmanager is not ready within 30 s, its last lines:\n${said.join('\n')}`)
}

async function post(url: string, alert: object, signal: AbortSignal | undefined): Promise<void> {
  const answer = await fetch(`${url}/api/v2/alerts`, {
    ...deadline(signal),
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([alert]),
  })
  if (!answer.ok) throw new Error(`Alertmanager refused the alert: ${await answer.text()}`)
}

function deadline(signal: AbortSignal | undefined): { signal: AbortSignal } {
  const limit = AbortSignal.timeout(5_000)
  return { signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) }
}

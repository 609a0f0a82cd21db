import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '@jackstay/cluster/ports'
import { systemNamespace } from '@jackstay/contract/namespaces'
import type { KubeClient } from '@jackstay/kube/client'
import { type Program, startProgram } from './program.ts'
import { programOf } from './programs.ts'
import { keepTokenFile } from './token-files.ts'

/** What running our programs beside a cluster needs of it. */
export interface Host {
  /** As an administrator: makes the programs' tokens, nothing else. */
  readonly client: KubeClient
  writeKubeconfig(options: { path: string; tokenFile: string }): Promise<string>
  /** Logs, tokens, kubeconfigs and the ledger. */
  readonly directory: string
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
  /** Further settings of the mediator. */
  readonly mediatorFlags?: readonly string[]
  /** Flags of the Node.js it runs in. */
  readonly mediatorNodeFlags?: readonly string[]
  readonly mediatorEnv?: Readonly<Record<string, string>>
  /** Another main file of it than the checkout's: its bundle. */
  readonly mediatorMain?: string
}

/** One program alone, to crash it and start it again as it was. */
export interface Restartable {
  pid(): number
  /** Resolves when the process that runs by now is gone, however it ended. */
  exited(): Promise<void>
  kill(): Promise<void>
  stop(): Promise<void>
  /** With further settings, which count until the next start. */
  start(settings?: readonly string[]): Promise<void>
}

export interface ControlPlane {
  readonly mediatorUrl: string
  readonly registrarUrl: string
  readonly toolsUrl: string
  /** Of the ledger. */
  readonly dataDirectory: string
  /** What Alertmanager has to send. */
  readonly alertToken: string
  readonly logs: string
  /** Starts again on the same data. */
  readonly mediator: Restartable
  readonly registrar: Restartable
  stop(): Promise<void>
}

/** A kubeconfig of one of our ServiceAccounts, its token renewed as a projected one would be. */
async function identity(host: Host, serviceAccount: string): Promise<string> {
  const { client, signal, onError } = host
  const tokenFile = join(host.directory, `${serviceAccount}.token`)
  const namespace = systemNamespace
  await keepTokenFile({
    ...{ client, namespace, serviceAccount, signal, onError },
    audiences: [],
    path: tokenFile,
  })
  const path = join(host.directory, `${serviceAccount}.kubeconfig`)
  return await host.writeKubeconfig({ path, tokenFile })
}

function mediatorOf({ mediatorMain: main, mediatorNodeFlags: nodeFlags, mediatorEnv: env }: Host) {
  return { ...(main && { main }), ...(nodeFlags && { nodeFlags }), ...(env && { env }) }
}

/** Starts mediator, registrar and the read tool as processes on loopback, each as itself. */
export async function startControlPlane(host: Host): Promise<ControlPlane> {
  const { directory, signal } = host
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const dataDirectory = join(directory, 'ledger')
  const logs = join(directory, 'logs')
  await mkdir(logs, { recursive: true, mode: 0o700 })
  const alertToken = randomBytes(24).toString('base64url')
  const alertTokenFile = join(directory, 'alert.token')
  await writeFile(alertTokenFile, `${alertToken}\n`, { mode: 0o600 })
  const launch = async (
    name: 'mediator' | 'registrar' | 'kubernetes-read',
    port: number,
    extra: readonly string[],
  ) => {
    const kubeconfig = await identity(host, `jackstay-${name}`)
    return await startProgram({
      name: `jackstay-${name}`,
      ...programOf(name),
      args: ['--kubeconfig', kubeconfig, '--port', String(port), ...extra],
      ...(name === 'mediator' && mediatorOf(host)),
      logFile: join(logs, `${name}.log`),
      readyUrl: `http://127.0.0.1:${port}/readyz`,
      signal,
    })
  }
  const [mediatorPort = 0, registrarPort = 0, toolsPort = 0] = await freePorts(3)
  const given = host.mediatorFlags ?? []
  const mediatorFlags = [
    '--data-dir',
    dataDirectory,
    '--alert-token-file',
    alertTokenFile,
    ...given,
  ]
  const mediator = restartable((settings) =>
    launch('mediator', mediatorPort, [...mediatorFlags, ...settings]),
  )
  const registrar = restartable(() => launch('registrar', registrarPort, []))
  const tools = restartable(() => launch('kubernetes-read', toolsPort, []))
  const stop = async () => {
    await Promise.all([registrar.stop(), tools.stop()])
    await mediator.stop()
  }
  try {
    await Promise.all([registrar.start(), tools.start()])
    await mediator.start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    mediatorUrl: `http://127.0.0.1:${mediatorPort}`,
    registrarUrl: `http://127.0.0.1:${registrarPort}`,
    toolsUrl: `http://127.0.0.1:${toolsPort}`,
    ...{ dataDirectory, alertToken, logs, stop },
    ...{ mediator, registrar },
  }
}

function restartable(launch: (settings: readonly string[]) => Promise<Program>): Restartable {
  let program: Program | undefined
  return {
    pid: () => program?.pid ?? 0,
    exited: async () => {
      await program?.exited
    },
    kill: async () => await program?.kill(),
    stop: async () => await program?.stop(),
    start: async (settings = []) => {
      program = await launch(settings)
    },
  }
}

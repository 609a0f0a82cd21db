import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '@jackstay/cluster/ports'
import type { AgentPod } from './agent-pod.ts'
import type { ControlPlane } from './control-plane.ts'
import { type Program, startProgram } from './program.ts'
import { programOf } from './programs.ts'

/** A sidecar, enrolled in the name of a Pod. */
export interface Sidecar {
  /** The Pod, as `namespace.name`. */
  readonly pod: string
  readonly url: string
  readonly keys: string
  stop(): Promise<void>
  /** SIGKILL, as a crash. Started again for the same Pod it has the keys it had. */
  kill(): Promise<void>
}

export async function startSidecar(
  pod: AgentPod,
  plane: Pick<ControlPlane, 'mediatorUrl' | 'registrarUrl' | 'toolsUrl' | 'logs'>,
  directory: string,
  signal: AbortSignal,
): Promise<Sidecar> {
  const [port = 0] = await freePorts(1)
  const keys = join(directory, `${pod.namespace}.${pod.name}.keys`)
  await mkdir(keys, { recursive: true, mode: 0o700 })
  const url = `http://127.0.0.1:${port}`
  const flags: Record<string, string> = {
    port: String(port),
    'mediator-url': plane.mediatorUrl,
    'registrar-url': plane.registrarUrl,
    'tools-url': plane.toolsUrl,
    'key-dir': keys,
    'enrol-token-file': join(pod.tokens, 'enrol'),
    'intent-token-file': join(pod.tokens, 'intent'),
    'tools-token-file': join(pod.tokens, 'tools'),
  }
  const program = await startProgram({
    name: 'jackstay-sidecar',
    ...programOf('sidecar'),
    confined: true,
    args: Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
    logFile: join(plane.logs, `sidecar.${pod.namespace}.${pod.name}.log`),
    readyUrl: `${url}/readyz`,
    signal,
  })
  return {
    pod: `${pod.namespace}.${pod.name}`,
    url,
    keys,
    stop: () => program.stop(),
    kill: () => program.kill(),
  }
}

/** The runbook agent beside its sidecar; `onLine` gets each of its events as a JSON line. */
export async function startRunbookAgent(
  sidecar: Sidecar,
  logs: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
  args: readonly string[] = [],
): Promise<Program> {
  return await startProgram({
    name: 'runbook-agent',
    ...programOf('runbook-agent'),
    confined: true,
    args: ['--sidecar-url', sidecar.url, '--port', '0', ...args],
    logFile: join(logs, `agent.${sidecar.pod}.log`),
    signal,
    onLine,
  })
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goProgram } from '@jackstay/cluster/go-program'
import { freePorts } from '@jackstay/cluster/ports'
import { progressLine } from '@jackstay/cluster/progress'
import type { NamedPolicy } from '@jackstay/judge/rules'
import { startProgram } from '@jackstay/lab/program'
import { opaServer } from './go-recipes.ts'
import { regoOf } from './judge-rego.ts'

/** Where it is asked, and which process that costs. */
export interface Served {
  readonly url: string
  readonly pid: number
}

/** OPA's own server with these rules, with or without its log of decisions, while `use` runs. */
export async function withOpaServer<T>(
  policies: readonly NamedPolicy[],
  decisionLog: boolean,
  signal: AbortSignal,
  use: (served: Served) => Promise<T>,
): Promise<T> {
  const command = await goProgram(opaServer, (progress) => {
    if (progress.state !== 'running') process.stderr.write(`${progressLine(progress)}\n`)
  })
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-opa-'))
  const rules = join(directory, 'rules.rego')
  await writeFile(rules, regoOf(policies))
  const [port = 0] = await freePorts(1)
  const at = `127.0.0.1:${port}`
  const log = decisionLog ? ['--set', 'decision_logs.console=true'] : ['--log-level', 'error']
  const program = await startProgram({
    name: 'opa',
    command,
    main: 'run',
    args: ['--server', '--disable-telemetry', '--addr', at, ...log, rules],
    logFile: join(directory, 'log'),
    readyUrl: `http://${at}/health`,
    signal,
  })
  try {
    return await use({ url: `http://${at}/v1/data/jackstay/verdict`, pid: program.pid })
  } finally {
    await program.stop()
    await rm(directory, { recursive: true })
  }
}

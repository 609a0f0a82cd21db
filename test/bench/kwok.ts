import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { goProgram } from '@jackstay/cluster/go-program'
import { freePorts } from '@jackstay/cluster/ports'
import { progressLine } from '@jackstay/cluster/progress'
import type { LineWorld } from '@jackstay/e2e/line-world'
import { type Program, startProgram } from '@jackstay/lab/program'
import { kwok } from './go-recipes.ts'

const stages = fileURLToPath(new URL('kwok-stages.yaml', import.meta.url))

/** Nodes with this label are kwok's, and the Pods on them. */
export const kwokNode = { 'bench.jackstay.dev/node': 'kwok' } as const
/** As a kubelet's: renewed every quarter of it. */
const leaseSeconds = 40

/** kwok beside the cluster, in the place of many kubelets, while `use` runs. */
export async function withKwok<T>(
  { cluster, signal }: LineWorld,
  use: () => Promise<T>,
): Promise<T> {
  const command = await goProgram(kwok, (progress) => {
    if (progress.state !== 'running') process.stderr.write(`${progressLine(progress)}\n`)
  })
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-kwok-'))
  const [port = 0] = await freePorts(1)
  const at = `127.0.0.1:${port}`
  const selector = Object.entries(kwokNode).map(([key, value]) => `${key}=${value}`)
  let program: Program | undefined
  try {
    program = await startProgram({
      name: 'kwok',
      command,
      main: `--config=${stages}`,
      args: [
        `--kubeconfig=${cluster.kubeconfig}`,
        `--manage-nodes-with-label-selector=${selector.join(',')}`,
        `--node-lease-duration-seconds=${leaseSeconds}`,
        `--server-address=${at}`,
        '--node-ip=127.0.0.1',
        '--cidr=10.128.0.0/14',
      ],
      logFile: join(directory, 'log'),
      readyUrl: `http://${at}/readyz`,
      signal,
    })
    return await use()
  } finally {
    await program?.stop()
    await rm(directory, { recursive: true })
  }
}

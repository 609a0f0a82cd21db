import { Command, Option } from 'commander'
import { Listr } from 'listr2'
import { z } from 'zod'
import { attach, availability, type Cluster, type UpOptions, up } from './cluster.ts'
import { endCluster } from './end.ts'
import { type OnProgress, progressLine } from './progress.ts'
import { checkName, readState } from './state.ts'
import { type ClusterStatus, clusterStatuses } from './status.ts'

const DEFAULT_NAME = 'default'

const print = (text: string) => process.stdout.write(`${text}\n`)
const printProgress = (text: string) => process.stderr.write(`${text}\n`)

const named = new Option('--name <name>', 'name of the cluster').default(DEFAULT_NAME)
const modes = ['control-plane', 'node'] as const

type Name = { name: string }

const program = new Command('cluster')
  .description('A real Kubernetes on this machine, for tests.')
  .addHelpText(
    'after',
    `
Examples:
  npm run cluster -- up                       a control plane on loopback ports
  npm run cluster -- up --mode node           with a node that runs Pods (root, Linux)
  npm run cluster -- status -o json
  kubectl --kubeconfig "$(npm run -s cluster -- kubeconfig)" get pods -A
  npm run cluster -- down                     nothing is left

Exit codes: 0 done, 1 failed (the error says what to type), 2 wrong arguments, 3 no such cluster is up.`,
  )
  .showHelpAfterError('see `npm run cluster -- --help`')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

program
  .command('up')
  .description('bring a cluster up that stays until `down`')
  .addOption(named)
  .addOption(new Option('--mode <mode>', 'what it holds').choices(modes).default('control-plane'))
  .action(async (given: unknown) => {
    const schema = z.object({ name: z.string(), mode: z.enum(modes) })
    const cluster = await upWithProgress({ ...schema.parse(given), attached: false })
    print(`export KUBECONFIG=${cluster.kubeconfig}`)
  })

program
  .command('down')
  .description('end a cluster, also one that crashed, and leave nothing')
  .addOption(named)
  .addOption(new Option('--id <id>', 'only if it is still this one').hideHelp())
  .action(async ({ name, id }: Name & { id?: string }) => {
    // the watchdog of a cluster must not end its successor
    if (id !== undefined && readState(name)?.id !== id) return
    const wasThere = readState(checkName(name)) !== undefined
    await endCluster(name)
    print(wasThere ? `cluster \`${name}\` is down` : `cluster \`${name}\` was not up`)
  })

program
  .command('status')
  .description('list the clusters, and what can be had on this machine')
  .addOption(
    new Option('-o, --output <format>', 'format').choices(['text', 'json']).default('text'),
  )
  .action(async ({ output }: { output: string }) => {
    const machine = await availability()
    const clusters = clusterStatuses()
    if (output === 'json') {
      print(JSON.stringify({ machine, clusters }, null, 2))
      return
    }
    print(statusTable(clusters))
    print(`source of clusters: ${machine.source}; with a node: ${machine.node ? 'yes' : 'no'}`)
    for (const { what, typeInstead } of machine.missing) {
      print(`missing: ${what}; type: ${typeInstead}`)
    }
  })

program
  .command('kubeconfig')
  .description("print the path of a cluster's administrator kubeconfig")
  .addOption(named)
  .action(async ({ name }: Name) => {
    if (readState(checkName(name))?.phase !== 'up') process.exitCode = 3
    print((await attach(name)).kubeconfig)
  })

async function upWithProgress(options: UpOptions): Promise<Cluster> {
  const stop = new AbortController()
  const signal = stop.signal
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new Error(`stopped by ${name}, nothing is left behind`)))
  }
  const bring = (onProgress: OnProgress) =>
    up({ ...options, signal }, onProgress).catch((error: unknown) => {
      // what was waited for says only that it was aborted, the reason says by whom
      throw signal.aborted ? signal.reason : error
    })
  if (!process.stderr.isTTY) return bring((progress) => printProgress(progressLine(progress)))
  const context: { cluster?: Cluster } = {}
  const title = `bringing up cluster \`${options.name}\``
  const task = async (_: unknown, shown: { output: string }) => {
    context.cluster = await bring((progress) => {
      shown.output = progressLine(progress)
    })
  }
  await new Listr([{ title, task }]).run()
  if (context.cluster === undefined) throw new Error('the cluster came up without being returned')
  return context.cluster
}

function statusTable(clusters: readonly ClusterStatus[]): string {
  if (clusters.length === 0) return 'no clusters; type `npm run cluster -- up`'
  const rows = clusters.map(({ name, mode, state, server }) => [name, mode, state, server])
  const table = [['NAME', 'MODE', 'STATE', 'SERVER'], ...rows]
  return table
    .map((row) =>
      row
        .map((cell) => cell.padEnd(24))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

try {
  await program.parseAsync()
} catch (error) {
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`error: ${text}\n`)
  process.exitCode ||= 1
}

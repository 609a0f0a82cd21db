import { availability } from '@jackstay/cluster/cluster'
import { untilStopped } from '@jackstay/service/signals'
import { Command, InvalidArgumentError } from 'commander'
import { removeLeftovers, runDemo } from './demo.ts'
import { consoleNarrator } from './narrator.ts'

interface Options {
  readonly cluster?: 'real'
  readonly kubeconfig?: string
  readonly context?: string
  readonly image?: string
  readonly once?: boolean
  readonly yes?: boolean
  readonly remove?: string
}

const command = new Command('npm start --')
  .description(
    'Shows Jackstay at work: an alert, an agent without any cluster credential, a signed intent, a decision, an approval, the change, its verification and the proof.',
  )
  .option(
    '--cluster <kind>',
    'which cluster to use: `real` brings one up on this machine',
    (kind) => {
      if (kind === 'real') return kind
      throw new InvalidArgumentError('the only kind there is now is `real`')
    },
  )
  .option('--kubeconfig <file>', 'a cluster of yours instead: says what it would make there, asks')
  .option('--context <name>', 'context in it (default: the current one)')
  .option('--image <ref>', 'what the demo’s workload runs there (default: the nodes’ pause image)')
  .option('--once', 'let the demo operator approve, and end after the first incident')
  .option('--yes', 'make it without asking')
  .option('--remove <file>', 'remove what a demo that was killed left in the cluster')
  .addHelpText(
    'after',
    `
Examples:
  npm start -- --cluster=real              the story, waiting for your approval; Ctrl-C ends it
  npm start -- --cluster=real --once       the same without questions; exit code 0 only if all went well
  npm start -- --kubeconfig ~/.kube/config in your own cluster, which is afterwards as it was
  npm start -- --kubeconfig FILE --once --yes

Exit codes: 0 all went well, 1 it did not, 2 it could not begin and nothing was made.`,
  )
  .showHelpAfterError('see `npm start -- --help`')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()

/** What is missing for a cluster on this machine, in words; empty when nothing is. */
async function obstacles(): Promise<string[]> {
  const { node, source, missing } = await availability()
  if (source !== 'none' && node) return []
  return missing.map(({ what, typeInstead }) => `- ${what}\n  ${typeInstead}`)
}

async function noCluster(asked: boolean): Promise<string | undefined> {
  const problems = await obstacles()
  if (asked && problems.length === 0) return undefined
  const lines =
    problems.length > 0
      ? ['This machine lacks something for a real cluster:', ...problems]
      : ['Jackstay needs a cluster to show itself. This machine can run one:', '']
  const hint = problems.length > 0 ? '' : '  npm start -- --cluster=real\n'
  return `${lines.join('\n')}\n${hint}
The first start builds Kubernetes from its Go modules, about ten minutes on two cores; later ones take half a minute.
Or in a cluster of yours, which is afterwards as it was:

  npm start -- --kubeconfig FILE
`
}

/** Flags that mean nothing together. */
function misused({ cluster, kubeconfig, once, yes, remove, context, image }: Options) {
  const own = [context, image, yes, remove].some((value) => value !== undefined)
  if (kubeconfig === undefined && own) {
    return '--context, --image, --yes and --remove are for --kubeconfig; name the file'
  }
  if (kubeconfig !== undefined && cluster !== undefined) {
    return 'choose one of --cluster and --kubeconfig'
  }
  if (kubeconfig !== undefined && once && !yes) {
    return '--once asks nothing; add --yes if it may make its objects in your cluster'
  }
  return undefined
}

async function main(): Promise<number> {
  const options = command.opts<Options>()
  const { cluster, kubeconfig, context, image, once = false, yes = false, remove } = options
  const wrong = misused(options)
  if (wrong !== undefined) {
    process.stderr.write(`error: ${wrong}\n`)
    return 2
  }
  const shared = { signal: untilStopped(), narrator: consoleNarrator(process.stdout) }
  if (kubeconfig !== undefined) {
    const given = { kubeconfig, context, image, yes }
    if (remove !== undefined) return removeLeftovers({ ...shared, given, journal: remove })
    return runDemo({ ...shared, once, given })
  }
  const missing = await noCluster(cluster !== undefined)
  if (missing === undefined) return runDemo({ ...shared, once })
  process.stderr.write(missing)
  return 2
}

process.exitCode = await main()

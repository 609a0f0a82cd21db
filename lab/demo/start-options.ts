import { Command, InvalidArgumentError } from 'commander'
import { maxSpeed } from '../kubernetes/clock.ts'

/** What `npm start --` was told. */
export interface StartOptions {
  readonly cluster?: 'real'
  readonly incident?: string
  readonly seed?: string
  readonly speed?: number
  readonly port?: number
  readonly data?: string
  readonly kubeconfig?: string
  readonly context?: string
  readonly image?: string
  readonly once?: boolean
  readonly yes?: boolean
  readonly remove?: string
}

const port = whole(0, 65_535)

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`a whole number from ${least} to ${most}`)
  }
}

function once(name: string, earlier: string | undefined): string {
  if (earlier === undefined) return name
  throw new InvalidArgumentError('one at a time; `npm run incidents` goes through all')
}

function speed(text: string): number {
  const value = Number(text)
  if (value >= 1 && value <= maxSpeed) return value
  throw new InvalidArgumentError(`a number from 1 to ${maxSpeed}`)
}

function cluster(kind: string): 'real' {
  if (kind === 'real') return kind
  throw new InvalidArgumentError('the only kind besides the lab is `real`')
}

/** The command line of `npm start`, before it is parsed. */
export function startCommand(): Command {
  return new Command('npm start --')
    .description(
      'Shows Jackstay at work: an alert, an agent without any cluster credential, a signed intent, a decision, an approval, the change, its verification and the proof.',
    )
    .option('--once', 'let the demo operator approve, and end after the incident')
    .option('--incident <name>', 'what breaks; `npx jackstay lab incidents` lists them', once)
    .option('--speed <factor>', 'how much faster the lab’s cluster lives', speed)
    .option('--seed <text>', 'the same seed, the same names and choices in the lab’s cluster')
    .option('--port <number>', 'of the lab’s API server (default: a free one)', port)
    .option('--data <folder>', 'keep the lab’s state there, and go on with it another time')
    .option(
      '--cluster <kind>',
      '`real` brings a real Kubernetes up on this machine, instead of the lab',
      cluster,
    )
    .option('--kubeconfig <file>', 'a cluster of yours: says what it would make there, asks')
    .option('--context <name>', 'context in it (default: the current one)')
    .option(
      '--image <ref>',
      'what the demo’s workload runs there (default: the nodes’ pause image)',
    )
    .option('--yes', 'make it there without asking')
    .option('--remove <file>', 'remove what a demo that was killed left in the cluster')
    .addHelpText('after', examples)
    .showHelpAfterError('see `npm start -- --help`')
}

const examples = `
Examples:
  npm start                                in a cluster in this process, waiting for your approval; Ctrl-C ends it
  npm start -- --once                      the same without questions; exit code 0 only if all went well
  npm start -- --incident bad-tag          something else breaks
  npm start -- --data ~/jackstay-lab       goes on another time where it ended
  npm start -- --cluster=real              a real Kubernetes, made on this machine
  npm start -- --kubeconfig ~/.kube/config in your own cluster, which is afterwards as it was

Exit codes: 0 all went well, or you stopped it, 1 it did not go well, 2 it could not begin and nothing was made.`

/** Flags that mean nothing together, in words; undefined where all is well. */
export function misused(options: StartOptions): string | undefined {
  const { kubeconfig, cluster, once, yes } = options
  const named = (names: readonly (keyof StartOptions)[]) =>
    names.filter((name) => options[name] !== undefined).map((name) => `--${name}`)
  if (kubeconfig !== undefined && cluster !== undefined) {
    return 'choose one of --cluster and --kubeconfig'
  }
  const theirs = named(['context', 'image', 'yes', 'remove'])
  if (kubeconfig === undefined && theirs.length > 0) {
    return `${theirs.join(', ')}: only with --kubeconfig; name the file`
  }
  const ofTheLab = named(['incident', 'seed', 'speed', 'port', 'data'])
  if ((kubeconfig ?? cluster) !== undefined && ofTheLab.length > 0) {
    return `${ofTheLab.join(', ')}: only in the lab; leave out --cluster and --kubeconfig`
  }
  if (kubeconfig !== undefined && once && !yes) {
    return '--once asks nothing; add --yes if it may make its objects in your cluster'
  }
  return undefined
}

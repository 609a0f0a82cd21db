import { availability } from '@jackstay/cluster/cluster'
import { untilStopped } from '@jackstay/service/signals'
import { Command, InvalidArgumentError } from 'commander'
import { runDemo } from './demo.ts'
import { consoleNarrator } from './narrator.ts'

interface Options {
  readonly cluster?: 'real'
  readonly once?: boolean
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
  .option('--once', 'let the demo operator approve, and end after the first incident')
  .addHelpText(
    'after',
    `
Examples:
  npm start -- --cluster=real          the story, waiting for your approval; Ctrl-C ends it
  npm start -- --cluster=real --once   the same without questions; exit code 0 only if all went well`,
  )
  .parse()

/** What is missing for the demo on this machine, in words; empty when nothing is. */
async function obstacles(): Promise<string[]> {
  const { node, source, missing } = await availability()
  if (source !== 'none' && node) return []
  return missing.map(({ what, typeInstead }) => `- ${what}\n  ${typeInstead}`)
}

async function main(): Promise<number> {
  const { cluster, once } = command.opts<Options>()
  const problems = await obstacles()
  if (cluster === undefined || problems.length > 0) {
    const lines =
      problems.length > 0
        ? ['This machine lacks something for a real cluster:', ...problems]
        : ['Jackstay needs a cluster to show itself. This machine can run one:', '']
    const hint = problems.length > 0 ? '' : '  npm start -- --cluster=real\n'
    process.stderr.write(
      `${lines.join('\n')}\n${hint}\nThe first start builds Kubernetes from its Go modules, about ten minutes on two cores; later ones take half a minute.\n`,
    )
    return 2
  }
  const signal = untilStopped()
  return await runDemo({ once: once === true, signal, narrator: consoleNarrator(process.stdout) })
}

process.exitCode = await main()

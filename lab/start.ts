import { resolve } from 'node:path'
import { untilStopped } from '@jackstay/service/signals'
import { removeLeftovers, runDemo, type Where } from './demo/demo.ts'
import { consoleNarrator } from './demo/narrator.ts'
import { misused, type StartOptions, startCommand } from './demo/start-options.ts'

function whereOf({ cluster, kubeconfig, ...options }: StartOptions): Where {
  if (cluster !== undefined) return { real: true }
  if (kubeconfig !== undefined) {
    const { context, image, yes = false } = options
    return { given: { kubeconfig, context, image, yes } }
  }
  const { port = 0, speed, seed, incident } = options
  const data = options.data === undefined ? undefined : typedPath(options.data)
  return { lab: { port, data, speed, seed, incident } }
}

/** npm runs us in the checkout, wherever it was typed. */
function typedPath(path: string): string {
  return resolve(process.env.INIT_CWD ?? '.', path)
}

async function main(): Promise<number> {
  const command = startCommand()
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse()
  const options = command.opts<StartOptions>()
  const wrong = misused(options)
  if (wrong !== undefined) {
    process.stderr.write(`error: ${wrong}\n`)
    return 2
  }
  const shared = { signal: untilStopped(), narrator: consoleNarrator(process.stdout) }
  const where = whereOf(options)
  if (options.remove !== undefined && 'given' in where) {
    return removeLeftovers({ ...shared, given: where.given, journal: options.remove })
  }
  return runDemo({ ...shared, once: options.once ?? false, where })
}

process.exitCode = await main()

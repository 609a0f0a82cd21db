import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { render } from '@jackstay/cli/screen'
import { untilStopped } from '@jackstay/service/signals'
import { Command, InvalidArgumentError } from 'commander'
import { consoleNarrator } from '../demo/narrator.ts'
import { maxSpeed } from '../kubernetes/clock.ts'
import { incidentNamed, incidents } from './catalogue.ts'
import type { Incident } from './incident.ts'
import { isRight, runTrials } from './trial/lanes.ts'
import { cell, report } from './trial/report.ts'
import { openStand } from './trial/stand.ts'
import { columns } from './trial/trial.ts'

interface Options {
  readonly seed: string
  readonly speed: number
  readonly only?: readonly Incident[]
}

const options = new Command('npm run incidents --')
  .description(
    'Breaks everything that can be broken in the lab’s world, and lets four answer: nobody, who knows, who does harm, and the runbook agent. Each proves that the incident tells them apart.',
  )
  .option('--seed <text>', 'the same names and choices each time', '1')
  .option('--speed <number>', 'how much faster the lab lives than the clock goes', speed, 10)
  .option('--only <name>', 'this incident; may be repeated', named)
  .addHelpText(
    'after',
    `
Examples:
  npm run incidents
  npm run incidents -- --only bad-tag --only healthy

Exit codes: 0 every row is as it must be, 1 one is not, 2 wrong input.`,
  )
  .showHelpAfterError('see `npm run incidents -- --help`')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<Options>()

function speed(text: string): number {
  const number = Number(text)
  if (number >= 1 && number <= maxSpeed) return number
  throw new InvalidArgumentError(`a number from 1 to ${maxSpeed}.`)
}

function named(name: string, before: readonly Incident[] = []): readonly Incident[] {
  const found = incidentNamed(name)
  if (found !== undefined) return [...before, found]
  const known = incidents.map((one) => one.name).join(', ')
  throw new InvalidArgumentError(`there are ${known}.`)
}

async function run({ seed, speed, only = incidents }: Options): Promise<number> {
  const { stdout } = process
  const colours = stdout.isTTY && process.env.NO_COLOR === undefined
  const narrator = consoleNarrator(stdout)
  const signal = untilStopped()
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-incidents-'))
  try {
    const stand = await narrator.step('the world, its control plane and its agents', (onProgress) =>
      openStand({
        ...{ directory, speed, seed, signal, onProgress },
        onError: (error) =>
          narrator.say(`the lab: ${error instanceof Error ? error.message : error}`),
      }),
    )
    try {
      const telling = {
        row: ({ incident, verdicts }: Parameters<typeof report>[0][number], seconds: number) => {
          const words = columns.map((column) => cell(verdicts[column]).text).join(', ')
          narrator.say(`${incident.name}: ${words} · ${seconds.toFixed(1)} s`)
        },
        broke: (_: Incident, error: unknown) =>
          narrator.say(`did not work: ${error instanceof Error ? error.message : error}`),
      }
      const rows = await runTrials(stand, only, telling, signal)
      stdout.write(`\n${render(report(rows), colours)}`)
      return isRight(only, rows) ? 0 : 1
    } finally {
      await stand.close()
    }
  } finally {
    if (process.env.JACKSTAY_KEEP === undefined) await rm(directory, { recursive: true })
    else narrator.say(`logs are in ${directory}`)
  }
}

process.exitCode = await run(options)

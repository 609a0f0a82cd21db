import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { LineWorld } from '@jackstay/e2e/line-world'
import { startProgram } from '@jackstay/lab/program'
import { median } from './cpu.ts'
import { type Crowd, type Member, withCrowd } from './crowd.ts'
import { twentyRulesAbout } from './judge-workload.ts'
import { keepAlive } from './keep-alive.ts'
import { quantile } from './quantiles.ts'
import { rounded, table, whole } from './table.ts'

const action = 'workload.scale'
const connections = 64
/** Of several agents in turn, so that none comes near what one may ask. */
const quietAgents = 8
/** Between two intents of the quiet ones. */
const pauseMs = 100

export interface QuietOptions {
  /** Intents of a round. */
  readonly intents: number
  readonly rounds: number
}

interface Figures {
  readonly alone: number[][]
  readonly beside: number[][]
  answers: Record<string, number>
}

/**
 * How long quiet agents wait for the refusal of an intent, alone and while another agent sends signed
 * intents over 64 connections as fast as it is answered. They take turns; the first round warms up.
 */
export async function measureQuiet(world: LineWorld, options: QuietOptions): Promise<string> {
  const rules = twentyRulesAbout(action).flatMap(({ spec }) => spec.rules)
  return withCrowd(world, quietAgents + 1, rules, {}, async (crowd) => {
    await world.deployment(crowd.tenant, 'web', 2)
    const figures: Figures = { alone: [], beside: [], answers: {} }
    for (let round = 0; round <= options.rounds; round++) {
      const alone = await ask(world, crowd, options.intents)
      const { latencies, answers } = await flooded(world, crowd, options.intents)
      if (round === 0) continue
      figures.alone.push(alone)
      figures.beside.push(latencies)
      for (const [status, n] of Object.entries(answers)) {
        figures.answers[status] = (figures.answers[status] ?? 0) + n
      }
    }
    return report(figures, options)
  })
}

async function flooded({ plane, signal }: LineWorld, crowd: Crowd, intents: number) {
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-flood-'))
  const [flooder] = crowd.members
  if (flooder === undefined) throw new Error('there is nobody to flood')
  const file = join(directory, 'requests')
  const bodies: string[] = []
  for (let n = 0; n < 500; n++) bodies.push(await submission(flooder, crowd, n))
  await writeFile(file, JSON.stringify({ token: flooder.token, bodies }))
  let answers: Record<string, number> = {}
  const program = await startProgram({
    name: 'flood',
    // what the client itself costs must not come out as what the mediator costs
    command: 'nice',
    main: '-n',
    args: [
      '10',
      process.execPath,
      fileURLToPath(new URL('./flood.ts', import.meta.url)),
      `${plane.mediatorUrl}/v1/intents`,
      file,
      String(connections),
    ],
    logFile: join(directory, 'log'),
    signal,
    onLine: (line) => {
      answers = JSON.parse(line)
    },
  })
  try {
    // until its own intents are used up: from then on it floods
    await sleep(2000)
    const latencies = await ask({ plane, signal }, crowd, intents)
    await program.stop()
    return { latencies, answers }
  } finally {
    await program.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

function submission({ agent }: Member, { tenant: { targets } }: Crowd, n: number): Promise<string> {
  return agent.submission(30 + (n % 10), { namespace: targets, name: 'web' })
}

/** Milliseconds from an intent to its end, one after the other. */
async function ask(
  { plane }: Pick<LineWorld, 'plane' | 'signal'>,
  crowd: Crowd,
  intents: number,
): Promise<number[]> {
  const client = keepAlive(1)
  const quiet = crowd.members.slice(1)
  const latencies: number[] = []
  try {
    for (let n = 0; n < intents; n++) {
      const member = quiet[n % quiet.length]
      if (member === undefined) throw new Error('there is nobody who is quiet')
      const body = await submission(member, crowd, n)
      const url = `${plane.mediatorUrl}/v1/intents?wait=30`
      const { status, text, ms } = await client.post(url, body, member.token)
      if (status !== 202 || !text.includes('"refused"')) throw new Error(`${status}: ${text}`)
      latencies.push(ms)
      await sleep(pauseMs)
    }
    return latencies
  } finally {
    client.close()
  }
}

function report({ alone, beside, answers }: Figures, { intents, rounds }: QuietOptions): string {
  const row = (name: string, all: readonly number[][]) => {
    const of = (share: number) => rounded(median(all.map((round) => quantile(round, share))), 1)
    return [name, of(0.5), of(0.99)]
  }
  const ratio = (share: number) =>
    rounded(quantile(beside.flat(), share) / quantile(alone.flat(), share))
  const said = Object.entries(answers).map(([status, n]) => `${whole(n)} × ${status}`)
  return [
    `quiet: ${intents} intents of quiet agents in ${rounds} rounds, alone and while another floods over ${connections} connections`,
    table([
      ['', 'p50, ms', 'p99, ms'],
      row('alone', alone),
      row('beside the flood', beside),
      ['ratio', ratio(0.5), ratio(0.99)],
    ]),
    `  the flood was answered ${said.join(', ')}`,
  ].join('\n')
}

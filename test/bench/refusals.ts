import { fileURLToPath } from 'node:url'
import { freePorts } from '@jackstay/cluster/ports'
import { intentView } from '@jackstay/contract/api'
import type { LineWorld } from '@jackstay/e2e/line-world'
import { startProgram } from '@jackstay/lab/program'
import { cpuSeconds, inParallel, median } from './cpu.ts'
import { type Crowd, withCrowd } from './crowd.ts'
import { factsLine } from './judge-intents.ts'
import { twentyRulesAbout, workloadInput } from './judge-workload.ts'
import { type KeepAlive, keepAlive } from './keep-alive.ts'
import { type Served, withOpaServer } from './opa-server.ts'
import { rounded, table, whole } from './table.ts'

const action = 'workload.scale'
const width = 64
/** Of one agent in ten seconds: the next refusal would share its leaf with others. */
const perAgent = 10
const windowMs = 10_000

export interface RefusalsOptions {
  readonly agents: number
  readonly rounds: number
}

interface Request {
  readonly body: string
  readonly token?: string
}

interface Round {
  readonly perCoreSecond: number
  readonly latencies: readonly number[]
}

/** One side: how it is asked, and what of its answer shows that it did the work. */
interface Side {
  readonly name: string
  readonly served: Served
  readonly requests: () => Promise<readonly Request[]>
  readonly assertAnswer: (text: string) => void
}

/**
 * Signed intents that 20 rules deny: each verified, planned, judged, written durably with a leaf of its
 * own, and answered with its end; beside a plain Hono server, and OPA's server with the same rules. One
 * run, one client, the sides take turns; the first round of each warms it up and is not counted.
 */
export async function measureRefusals(world: LineWorld, options: RefusalsOptions): Promise<string> {
  const rules = twentyRulesAbout(action).flatMap(({ spec }) => spec.rules)
  return withCrowd(world, options.agents, rules, {}, async (crowd) => {
    await world.deployment(crowd.tenant, 'web', 2)
    return withPlainServer(world, (plain) =>
      withOpaServer(twentyRulesAbout(action), false, world.signal, (opa) =>
        withOpaServer(twentyRulesAbout(action), true, world.signal, (logged) =>
          compare(sidesOf(world, crowd, { plain, opa, logged }), options),
        ),
      ),
    )
  })
}

function sidesOf(
  { plane }: LineWorld,
  crowd: Crowd,
  { plain, opa, logged }: Readonly<Record<'plain' | 'opa' | 'logged', Served>>,
): readonly Side[] {
  const mediator = { url: `${plane.mediatorUrl}/v1/intents?wait=30`, pid: plane.mediator.pid() }
  const asked = Array.from({ length: crowd.members.length * perAgent }, (_, n) => question(n))
  const questions = async () => asked
  return [
    {
      name: 'mediator',
      served: mediator,
      requests: () => signed(crowd),
      assertAnswer: assertRefused,
    },
    { name: 'OPA server', served: opa, requests: questions, assertAnswer: assertDenied },
    { name: 'OPA, decision log', served: logged, requests: questions, assertAnswer: assertDenied },
    {
      name: 'plain Hono',
      served: plain,
      requests: () => signed(crowd),
      assertAnswer: (text) => JSON.parse(text),
    },
  ]
}

/** Signed at the last moment: an intent lives for a minute. */
async function signed({ members, tenant: { targets } }: Crowd): Promise<Request[]> {
  const requests: Request[] = []
  for (let n = 0; n < perAgent; n++) {
    for (const { agent, token } of members) {
      const body = await agent.submission(30 + n, { namespace: targets, name: 'web' })
      requests.push({ body, token })
    }
  }
  return requests
}

/** What the mediator finds out about such an intent, as OPA's input. */
function question(n: number): Request {
  const { facts } = workloadInput(n)
  const intent = { action, params: { replicas: 30 + (n % perAgent) } }
  const line = factsLine({ facts: { ...facts, intent, action } })
  return { body: `{"input":${line}}` }
}

function assertRefused(text: string): void {
  const { summary, events } = intentView.parse(JSON.parse(text))
  const end = `${summary.phase}/${summary.reason}`
  const leaves = events.at(-1)?.leafIndexes.length ?? 0
  if (end !== 'refused/denied' || leaves !== 1) {
    throw new Error(`an intent ended as ${end} with ${leaves} leaves of its own: ${text}`)
  }
}

function assertDenied(text: string): void {
  const { result } = JSON.parse(text)
  if (result?.effect !== 'deny') throw new Error(`OPA did not deny: ${text}`)
}

async function compare(sides: readonly Side[], { rounds }: RefusalsOptions): Promise<string> {
  const client = keepAlive(width)
  try {
    const figures = new Map<Side, Round[]>(sides.map((side) => [side, []]))
    for (let n = 0; n <= rounds; n++) {
      for (const side of sides) {
        const round = await oneRound(client, side)
        if (n > 0) figures.get(side)?.push(round)
      }
    }
    return report(figures, rounds)
  } finally {
    client.close()
  }
}

async function oneRound(client: KeepAlive, side: Side): Promise<Round> {
  const { served, assertAnswer } = side
  const requests = await side.requests()
  // a window of the floodgate that both begin in: each agent's ten refusals have leaves of their own
  if (side.name === 'mediator') await nextWindow()
  const latencies: number[] = []
  const texts: string[] = []
  const before = cpuSeconds(served.pid)
  await inParallel(requests, width, async ({ body, token }) => {
    const { status, text, ms } = await client.post(served.url, body, token)
    if (status !== 200 && status !== 202) throw new Error(`${side.name}: ${status} ${text}`)
    latencies.push(ms)
    texts.push(text)
  })
  const used = cpuSeconds(served.pid) - before
  for (const text of texts) assertAnswer(text)
  return { perCoreSecond: requests.length / used, latencies }
}

async function nextWindow(): Promise<void> {
  const left = windowMs - (Date.now() % windowMs)
  await new Promise((resolve) => setTimeout(resolve, left + 50))
}

function report(figures: ReadonlyMap<Side, readonly Round[]>, rounds: number): string {
  const speed = (all: readonly Round[]) => median(all.map(({ perCoreSecond }) => perCoreSecond))
  const [ours = []] = figures.values()
  const rows = [...figures].map(([{ name }, all]) => {
    const sorted = all.flatMap(({ latencies }) => latencies).sort((a, b) => a - b)
    const at = (share: number) => rounded(sorted[Math.floor(sorted.length * share)] ?? 0, 1)
    return [name, whole(speed(all)), rounded(speed(ours) / speed(all)), at(0.5), at(0.99)]
  })
  const count = ours[0]?.latencies.length ?? 0
  return [
    `refusals: ${count} signed intents that 20 rules deny, ${width} connections, ${rounds} rounds after one to warm up`,
    '  mediator: verified, planned, judged, recorded durably, each with a leaf of its own, answered with its end',
    table([['', 'a core-second', 'ratio', 'p50, ms', 'p99, ms'], ...rows]),
    '  ratio: the mediator over the other, neither of which verifies a signature or syncs a disk',
  ].join('\n')
}

async function withPlainServer<T>(
  world: LineWorld,
  use: (served: Served) => Promise<T>,
): Promise<T> {
  const [port = 0] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const program = await startProgram({
    name: 'plain-server',
    main: fileURLToPath(new URL('./plain-server.ts', import.meta.url)),
    args: [String(port)],
    logFile: '/dev/null',
    signal: world.signal,
  })
  try {
    await world.until(async () => {
      const answer = await fetch(url).catch(() => undefined)
      await answer?.body?.cancel()
      return answer !== undefined
    }, 'the plain server answers')
    return await use({ url: `${url}/v1/intents`, pid: program.pid })
  } finally {
    await program.stop()
  }
}

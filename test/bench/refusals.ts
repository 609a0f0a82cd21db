import { fileURLToPath } from 'node:url'
import { freePorts } from '@jackstay/cluster/ports'
import type { LineWorld, Tenant } from '@jackstay/e2e/line-world'
import type { TestAgent } from '@jackstay/e2e/test-agent'
import { startProgram } from '@jackstay/lab/program'
import { cpuSeconds, inParallel } from './cpu.ts'

const agents = 12
/** Below the floodgate's burst, so that every one is decided and recorded. */
const perAgent = 45
const width = 16

interface Request {
  readonly agent: TestAgent
  readonly body: string
}

/**
 * Signed intents that are refused (the class may only observe), each verified, decided, and written
 * durably with its leaf, per CPU second of the mediator; beside a plain Hono server that reads the
 * same bodies and says no. One run, same client, same machine.
 */
export async function measureRefusals(world: LineWorld): Promise<string> {
  const requests = await prepare(world)
  const tokens = new Map<TestAgent, string>()
  for (const { agent } of requests) tokens.set(agent, await agent.token('intent'))
  const others = new Map<number, number>()
  const mediator = await perCpuSecond(world.plane.mediator.pid(), requests, async (request) => {
    const { status } = await request.agent.submit(request.body, 0, tokens.get(request.agent))
    if (status !== 202) others.set(status, (others.get(status) ?? 0) + 1)
  })
  const plain = await withPlainServer(world, (url, pid) =>
    perCpuSecond(pid, requests, async ({ agent, body }) => {
      await agent.post(`${url}/v1/intents`, body, tokens.get(agent) ?? '')
    }),
  )
  const notRecorded = [...others].map(([status, n]) => `, ${n} answered ${status}`).join('')
  const share = ((mediator / plain) * 100).toFixed(1)
  return [
    `signed refusals: ${requests.length} intents of ${agents} agents, ${width} at a time${notRecorded}`,
    `  mediator          ${mediator.toFixed(0)} a core-second (verified, decided, recorded with its leaf)`,
    `  plain Hono server ${plain.toFixed(0)} a core-second (reads the body, says no)`,
    `  ratio             ${share} % of the plain server`,
  ].join('\n')
}

/** Agents first, signatures last: an intent lives for a minute. */
async function prepare(world: LineWorld): Promise<Request[]> {
  const tenants: Tenant[] = []
  while (tenants.length < agents) tenants.push(await world.tenant({ autonomy: 'observe' }))
  const requests: Request[] = []
  for (let n = 0; n < perAgent; n++) {
    for (const { agent, targets } of tenants) {
      const target = { namespace: targets, name: 'bench' }
      requests.push({ agent, body: await agent.submission(n, target) })
    }
  }
  return requests
}

async function perCpuSecond(
  pid: number,
  requests: readonly Request[],
  send: (request: Request) => Promise<void>,
): Promise<number> {
  const before = cpuSeconds(pid)
  await inParallel(requests, width, send)
  return requests.length / (cpuSeconds(pid) - before)
}

async function withPlainServer<T>(
  world: LineWorld,
  use: (url: string, pid: number) => Promise<T>,
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
    return await use(url, program.pid)
  } finally {
    await program.stop()
  }
}

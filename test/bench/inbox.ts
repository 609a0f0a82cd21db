import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { intentView } from '@jackstay/contract/api'
import { audiences } from '@jackstay/contract/enrolment'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { inbox } from '@jackstay/contract/people-api'
import type { LineWorld } from '@jackstay/e2e/line-world'
import { bundled } from './bundled.ts'
import { cpuSeconds, inParallel } from './cpu.ts'
import { type Crowd, type Member, withCrowd } from './crowd.ts'
import { keepAlive } from './keep-alive.ts'
import { waited } from './quantiles.ts'
import { rounded, table, whole } from './table.ts'
import { timed } from './timed.ts'

/** What one agent may have pending at most. */
const perAgent = 100
const width = 24
const oncall = 'oncall'

export interface InboxOptions {
  readonly agents: number
  readonly perAgent: number
  readonly runs: number
}

/**
 * Real intents of many agents that wait for people; then how long somebody on call waits for `inbox`
 * and `status`, beside `kubectl get` of the same Intent objects, which the API server has to list all.
 */
export async function measureInbox(world: LineWorld, options: InboxOptions): Promise<string> {
  const rules = [
    { name: 'allow', allow: { when: 'true' } },
    { name: 'people', requireApproval: { when: 'true', count: 1, groups: [oncall] } },
  ]
  const limits = { pending: perAgent }
  return withCrowd(world, options.agents, rules, limits, async (crowd) => {
    const filled = await fill(world, crowd, options.perAgent)
    try {
      return [filled, await ask(world, options)].join('\n')
    } finally {
      await clear(world, crowd)
    }
  })
}

async function fill(world: LineWorld, crowd: Crowd, each: number): Promise<string> {
  const targets = Array.from({ length: 50 }, (_, n) => `web-${n}`)
  await inParallel(targets, 8, async (name) => {
    await world.deployment(crowd.tenant, name, 1)
  })
  const client = keepAlive(width)
  const turns = Array.from({ length: each }, (_, n) => n)
  const all = turns.flatMap((n) => crowd.members.map((member) => ({ n, member })))
  const pid = world.plane.mediator.pid()
  const [begun, cpu] = [performance.now(), cpuSeconds(pid)]
  try {
    await inParallel(all, width, async ({ n, member }) => {
      await pend(client, member, {
        namespace: crowd.tenant.targets,
        name: targets[n % targets.length] ?? '',
      })
    })
  } finally {
    client.close()
  }
  const seconds = (performance.now() - begun) / 1000
  const spent = ((cpuSeconds(pid) - cpu) / all.length) * 1000
  return `${whole(all.length)} intents of ${crowd.members.length} agents wait for people: submitted in ${whole(seconds)} s, ${rounded(spent, 1)} ms of the mediator's CPU each`
}

async function pend(
  client: ReturnType<typeof keepAlive>,
  { agent }: Member,
  target: { readonly namespace: string; readonly name: string },
): Promise<void> {
  const body = await agent.submission(0, target)
  const url = `${agent.urls.mediator}/v1/intents?wait=60`
  const { status, text } = await client.post(url, body, await agent.token('intent'))
  const phase = status === 202 ? intentView.parse(JSON.parse(text)).summary.phase : undefined
  if (phase !== 'approve') throw new Error(`an intent does not wait: ${status} ${text}`)
}

async function ask(world: LineWorld, options: InboxOptions): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-cli-'))
  try {
    const cli = await bundled(directory, 'jackstay', 'interfaces/cli/main.ts')
    const expected = options.agents * options.perAgent
    return await compare(world, cli, expected, options.runs)
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function compare(
  world: LineWorld,
  cli: string,
  expected: number,
  runs: number,
): Promise<string> {
  const { plane, cluster } = world
  const env = { KUBECONFIG: cluster.kubeconfig, JACKSTAY_SERVER: plane.mediatorUrl }
  const typed = (...words: string[]) => timed([process.execPath, cli, ...words], env)
  const sides: Record<string, () => Promise<unknown>> = {
    'GET /v1/inbox': await getting(world, '/v1/inbox', expected),
    'GET /v1/status': await getting(world, '/v1/status'),
    'jackstay inbox': () => typed('inbox'),
    // what it finds decides its exit code, and nothing here does
    'jackstay status': () => typed('status').catch(() => undefined),
    'jackstay version': () => typed('--version'),
    'kubectl get intents -A': async () => {
      const { code, stderr } = await world.kubectl(['get', 'intents.jackstay.dev', '-A'])
      if (code !== 0) throw new Error(stderr)
    },
  }
  const times = new Map(Object.keys(sides).map((name): [string, number[]] => [name, []]))
  for (let run = 0; run <= runs; run++) {
    for (const [name, side] of Object.entries(sides)) {
      const begun = performance.now()
      await side()
      if (run > 0) times.get(name)?.push(performance.now() - begun)
    }
  }
  const beside = times.get('kubectl get intents -A') ?? []
  const rows = [...times].map(([name, one]) => [name, ...waited(one, beside)])
  return table([['', 'median ms', 'p99 ms', 'of kubectl'], ...rows])
}

/** The call alone, as the CLI makes it. */
async function getting({ admin, plane }: LineWorld, path: string, waiting?: number) {
  const { token } = await admin.createToken(systemNamespace, 'jackstay-reader', {
    audiences: [audiences.read],
    expirationSeconds: 3600,
  })
  const headers = { authorization: `Bearer ${token}` }
  return async () => {
    const answer = await fetch(`${plane.mediatorUrl}${path}`, { headers })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`\`${path}\` was answered ${answer.status}: ${text}`)
    const count = waiting === undefined ? undefined : inbox.parse(JSON.parse(text)).waiting.count
    if (count !== waiting) throw new Error(`${count} intents wait where ${waiting} should`)
  }
}

/** Everything that waits is rejected by deleting it, where the cluster is somebody's. */
async function clear(world: LineWorld, { tenant }: Crowd): Promise<void> {
  if (process.env.JACKSTAY_E2E_CLUSTER === undefined) return
  const args = ['delete', 'intents.jackstay.dev', '--all', '--wait=false', '-n', tenant.targets]
  const { code, stderr } = await world.kubectl(args)
  if (code !== 0) throw new Error(stderr)
}

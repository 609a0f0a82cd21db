import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { freePorts } from '@jackstay/cluster/ports'
import { enrolmentProof } from '@jackstay/contract/enrolment'
import { readUnverified, thumbprintOf } from '@jackstay/contract/signing'
import { Hono } from 'hono'
import { z } from 'zod'
import { bundled } from './bundled.ts'
import { cpuSeconds, inParallel, median } from './cpu.ts'

/** What a container starts it with: unbounded, the young heap alone takes 50 MB. */
const sidecarFlags = ['--max-semi-space-size=1', '--max-old-space-size=96']
const width = 16
const starts = 5
const uid = '11111111-1111-4111-8111-111111111111'
const agent = 'jackstay-class-web/fixer'

interface Figures {
  readonly readyMs: number
  readonly idleMb: number
  readonly loadedMb: number
  readonly perCoreSecond: number
}

/**
 * The bundled sidecar under tool calls that it signs, sends and keeps, beside a plain `McpServer`
 * that answers at once. Same client, same flags of Node, same machine, one after the other.
 */
export async function measureSidecar(calls: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-bench-'))
  const [planePort = 0] = await freePorts(1)
  const plane = serve({ fetch: controlPlane().fetch, hostname: '127.0.0.1', port: planePort })
  try {
    const ours = await bundled(directory, 'sidecar', 'data-plane/sidecar/main.ts')
    const plain = await bundled(directory, 'plain-mcp', 'test/bench/plain-mcp.ts')
    const upstream = `http://127.0.0.1:${planePort}`
    const sidecar = await measure(ours, calls, 'workload_scale', (port, n) =>
      sidecarArguments(directory, upstream, port, n),
    )
    const other = await measure(plain, calls, 'workload_scale3', async (port) => [String(port)])
    return table(calls, sidecar, other)
  } finally {
    plane.close()
    await rm(directory, { recursive: true })
  }
}

function table(calls: number, sidecar: Figures, plain: Figures): string {
  const line = (what: string, unit: string, of: (figures: Figures) => number) => {
    const [a, b] = [of(sidecar), of(plain)]
    return `  ${what.padEnd(18)} ${a.toFixed(0).padStart(6)} ${b.toFixed(0).padStart(6)} ${unit.padEnd(14)} ratio ${(a / b).toFixed(2)}`
  }
  return [
    `sidecar beside a plain McpServer: ${calls} tool calls, ${width} at a time; node ${sidecarFlags.join(' ')}`,
    line('ready', 'ms', ({ readyMs }) => readyMs),
    line('resident, idle', 'MB', ({ idleMb }) => idleMb),
    line('resident, loaded', 'MB', ({ loadedMb }) => loadedMb),
    line('tool calls', 'a core-second', ({ perCoreSecond }) => perCoreSecond),
    '  the sidecar checks, signs, keeps a receipt, sends and follows; the plain one answers at once',
  ].join('\n')
}

type Arguments = (port: number, run: number) => Promise<readonly string[]>

async function measure(
  file: string,
  calls: number,
  tool: string,
  args: Arguments,
): Promise<Figures> {
  const ready: number[] = []
  for (let n = 0; ; n++) {
    const [port = 0] = await freePorts(1)
    const all = [...sidecarFlags, file, ...(await args(port, n))]
    const startedAt = performance.now()
    const child = spawn(process.execPath, all, { stdio: 'ignore' })
    try {
      await answering(`http://127.0.0.1:${port}/readyz`)
      ready.push(performance.now() - startedAt)
      if (ready.length < starts) continue
      const load = await loaded(child, `http://127.0.0.1:${port}/mcp`, calls, tool)
      return { readyMs: median(ready), ...load }
    } finally {
      await ended(child)
    }
  }
}

async function loaded(child: ChildProcess, url: string, calls: number, tool: string) {
  const pid = child.pid ?? 0
  await sleep(1000)
  const idleMb = residentMb(pid)
  let loadedMb = idleMb
  const timer = setInterval(() => {
    loadedMb = Math.max(loadedMb, residentMb(pid))
  }, 50)
  const before = cpuSeconds(pid)
  const all = Array.from({ length: calls }, (_, n) => n)
  await inParallel(all, width, async (n) => {
    const listing = n % 5 === 0
    const params = listing ? {} : { name: tool, arguments: proposal }
    await call(url, listing ? 'tools/list' : 'tools/call', params)
  }).finally(() => clearInterval(timer))
  return { idleMb, loadedMb, perCoreSecond: calls / (cpuSeconds(pid) - before) }
}

const proposal = {
  target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  params: { replicas: 3 },
  reasoning: { summary: 'nothing serves the shop' },
}

/** @throws Error for an answer that is none */
async function call(url: string, method: string, params: object): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const text = await response.text()
  const good = method === 'tools/list' ? text.includes('workload_scale') : text.includes('verified')
  if (!good) throw new Error(`\`${method}\` was answered ${response.status}: ${text.slice(0, 300)}`)
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024
}

/** @throws Error after half a minute */
async function answering(url: string): Promise<void> {
  const until = performance.now() + 30_000
  while (performance.now() < until) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    await sleep(5)
  }
  throw new Error(`\`${url}\` does not answer`)
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve))
  if (child.exitCode === null) {
    child.kill('SIGKILL')
    await exit
  }
}

async function sidecarArguments(
  directory: string,
  upstream: string,
  port: number,
  run: number,
): Promise<readonly string[]> {
  const keys = join(directory, `keys-${run}`)
  await mkdir(keys, { mode: 0o700 })
  const token = join(directory, 'token')
  await writeFile(token, podToken())
  const flags = {
    ...{ port, 'key-dir': keys, 'cluster-uid': uid, 'log-level': 'warn' },
    ...{ 'mediator-url': upstream, 'registrar-url': upstream, 'tools-url': upstream },
    ...{ 'enrol-token-file': token, 'intent-token-file': token, 'tools-token-file': token },
  }
  return Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)])
}

function podToken(): string {
  const kubernetes = { namespace: 'jackstay-class-web', serviceaccount: { name: 'fixer' } }
  const claims = { 'kubernetes.io': { ...kubernetes, pod: { name: 'fixer-0', uid } } }
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`
}

/** Both upstreams of the sidecar, answering at once: measured is the sidecar alone. */
function controlPlane() {
  const app = new Hono()
  const params = z.toJSONSchema(z.strictObject({ replicas: z.int() }))
  const names = ['scale', ...Array.from({ length: 19 }, (_, n) => `scale${n}`)]
  const actions = names.map((name) => ({
    name: `workload.${name}`,
    description: 'Scales.',
    params,
  }))
  app.get('/v1/cluster', (c) => c.json({ clusterUid: uid, catalogueVersion: '1', actions }))
  app.post('/v1/enrolments', async (c) => {
    const { proof } = z.object({ proof: z.string() }).parse(await c.req.json())
    const { payload } = readUnverified(proof, 'jackstay-enrol+jws')
    const kid = await thumbprintOf(enrolmentProof.parse(payload).jwk)
    return c.json({ agentKey: `jackstay-class-web/pod-${uid}`, kid, agent, class: 'web' })
  })
  app.post('/v1/intents', async (c) => {
    const { jws } = z.object({ jws: z.string() }).parse(await c.req.json())
    const claims = z.object({ jti: z.string() })
    const { jti } = claims.parse(readUnverified(jws, 'jackstay-intent+jws').payload)
    const times = { receivedAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:00Z' }
    const what = { agent, action: 'workload.scale', target: 'Deployment shop/web' }
    return c.json({ summary: { id: jti, ...what, phase: 'verified', ...times }, events: [] }, 202)
  })
  return app
}

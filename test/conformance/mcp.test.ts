import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { serve } from '@hono/node-server'
import { freePorts } from '@jackstay/cluster/ports'
import { outcomeOf } from '@jackstay/cluster/process'
import { type Program, startProgram } from '@jackstay/lab/program'
import { Hono } from 'hono'
import { parse } from 'yaml'

const here = new URL('.', import.meta.url).pathname
const main = new URL('../../data-plane/sidecar/main.ts', import.meta.url).pathname
const suite = new URL(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'))
  .pathname
const baseline = join(here, 'mcp-expected-failures.yml')

/** The control plane as far as a sidecar that is asked for its tools needs it. */
function controlPlane(port: number) {
  const params = { type: 'object', properties: { replicas: { type: 'integer' } } }
  const action = { name: 'workload.scale', description: 'Sets the replicas.', params }
  const app = new Hono()
  app.get('/v1/cluster', (c) =>
    c.json({ clusterUid: 'none', catalogueVersion: '1', actions: [action] }),
  )
  return serve({ fetch: app.fetch, hostname: '127.0.0.1', port })
}

describe('the MCP conformance suite against the sidecar', () => {
  let directory: string
  let sidecar: Program
  let plane: ReturnType<typeof controlPlane>
  let url: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-mcp-'))
    const [port = 0, planePort = 0] = await freePorts(2)
    plane = controlPlane(planePort)
    const token = join(directory, 'token')
    await writeFile(token, 'a.b.c')
    await mkdir(join(directory, 'key'), { mode: 0o700 })
    const upstream = `http://127.0.0.1:${planePort}`
    const flags = {
      ...{ port: String(port), 'key-dir': join(directory, 'key'), 'mediator-url': upstream },
      ...{ 'registrar-url': upstream, 'tools-url': upstream, 'enrol-token-file': token },
      ...{ 'intent-token-file': token, 'tools-token-file': token },
    }
    sidecar = await startProgram({
      ...{ name: 'sidecar', main, logFile: join(directory, 'log') },
      args: Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
      readyUrl: `http://127.0.0.1:${port}/healthz`,
      signal: AbortSignal.timeout(120_000),
    })
    url = `http://localhost:${port}/mcp`
  })
  after(async () => {
    await sidecar?.stop()
    plane?.close()
    if (directory !== undefined) await rm(directory, { recursive: true })
  })

  async function run(...more: readonly string[]) {
    const command = [process.execPath, suite, 'server', '--url', url, '-o', join(directory, 'out')]
    const options = { signal: AbortSignal.timeout(120_000), cwd: directory }
    return await outcomeOf([...command, ...more], options)
  }

  it('passes but for what is listed with a reason, and nothing listed passes', async () => {
    const { code, stdout } = await run('--expected-failures', baseline)
    assert.equal(code, 0, stdout.slice(-4000))
    for (const passed of ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection']) {
      assert.match(stdout, new RegExp(`✓ ${passed}: [1-9]\\d* passed, 0 failed`))
    }
    const listed: unknown[] = parse(await readFile(baseline, 'utf8')).server
    assert.equal(stdout.match(/^ {2}~ /gm)?.length, listed.length)
  })

  it('would tell: of a failure that is not listed, and of a listed one that passes', async () => {
    const stale = join(directory, 'stale.yml')
    await writeFile(stale, 'server:\n  - ping\n')
    assert.equal((await run('--scenario', 'ping', '--expected-failures', stale)).code, 1)
    assert.equal((await run('--scenario', 'prompts-list', '--expected-failures', stale)).code, 1)
  })
})

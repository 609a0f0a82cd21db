import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { cacheRoot } from '@jackstay/cluster/cache'
import { programOnPath } from '@jackstay/cluster/on-path'
import { outcomeOf } from '@jackstay/cluster/process'
import { unlessCi } from '@jackstay/cluster/unless-ci'
import { type Sidecar, startSidecar } from '@jackstay/lab/agent'
import { z } from 'zod'
import { type LineWorld, lineWorld, noLine, type Tenant } from './line-world.ts'

const root = new URL('../../', import.meta.url).pathname
const missing = await noLine()
const noPython = programOnPath('python3') === undefined ? 'needs python3 with venv' : undefined

const toolResult = z.object({
  result: z.object({
    isError: z.boolean().optional(),
    structuredContent: z.looseObject({
      phase: z.string().optional(),
      reason: z.string().optional(),
    }),
  }),
})

/** An agent that is not ours beside a sidecar, on the real line. */
describe('any agent that speaks MCP', { skip: missing }, () => {
  let w: LineWorld
  let tenant: Tenant
  let sidecar: Sidecar
  let directory: string
  before(async () => {
    w = await lineWorld()
    directory = await mkdtemp(join(tmpdir(), 'jackstay-any-agent-'))
    tenant = await w.tenant()
    const { pod } = await w.newAgent(tenant)
    sidecar = await startSidecar(pod, w.plane, directory, w.signal)
  })
  after(async () => {
    await sidecar?.stop()
    await w?.close()
    if (directory !== undefined) await rm(directory, { recursive: true })
  })

  async function alert(deployment: string): Promise<void> {
    const labels = { tenant: tenant.class, alertname: 'RunsWild', namespace: tenant.targets }
    const one = {
      ...{ status: 'firing', labels: { ...labels, deployment }, annotations: {} },
      ...{ fingerprint: 'abc9', startsAt: '2026-01-01T00:00:00Z', endsAt: '0001-01-01T00:00:00Z' },
    }
    const group = { version: '4', groupKey: 'any', status: 'firing', receiver: 'jackstay' }
    const answer = await fetch(`${w.plane.mediatorUrl}/v1/alerts/alertmanager`, {
      method: 'POST',
      body: JSON.stringify({ ...group, alerts: [one] }),
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${w.plane.alertToken}`,
      },
    })
    assert.equal(answer.status, 202, await answer.text())
  }

  async function call(name: string, args: object) {
    const response = await fetch(`${sidecar.url}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
        params: { name, arguments: args },
      }),
    })
    const data = /^data: (.*)$/m.exec(await response.text())?.[1] ?? ''
    return toolResult.parse(JSON.parse(data)).result
  }

  const target = (name: string) => ({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: tenant.targets, name },
  })
  const reasoning = { summary: 'the test wants it so' }

  it('is refused by the control plane when it calls a hidden tool, and that is recorded (T59)', async () => {
    const args = { target: target('any'), params: {}, reasoning }
    const { isError, structuredContent } = await call('node_drain', args)
    assert.equal(isError, true)
    assert.equal(structuredContent.phase, 'refused', JSON.stringify(structuredContent))
    const receipts = await (await fetch(`${sidecar.url}/v1/receipts`)).text()
    assert.match(receipts, /"action":"node.drain"/)
    const id = String(structuredContent.intent)
    const view = await tenant.agent.follow(id)
    assert.equal(view.summary.phase, 'refused')
    assert.ok(
      view.events.some(({ leafIndexes }) => leafIndexes.length > 0),
      'a leaf says so',
    )
  })

  it('gets no further by saying that a tool only reads (T66), and shows people no disguised text (T55)', async () => {
    await w.deployment(tenant, 'hinted', 1)
    const args = {
      ...{ target: target('hinted'), params: { replicas: 0 } },
      reasoning: { summary: 'only a \u001b[8mrestart\u202e, approve' },
      wait: 20,
    }
    const hinted = await call('workload_scale', { ...args, annotations: { readOnlyHint: true } })
    assert.match(JSON.stringify(hinted.structuredContent), /annotations/)
    const { structuredContent } = await call('workload_scale', args)
    assert.equal(structuredContent.phase, 'approve', JSON.stringify(structuredContent))
    const id = String(structuredContent.intent)
    const shown = await w.kubectl(['-n', tenant.targets, 'get', 'intent', id, '-o', 'yaml'])
    assert.match(shown.stdout, /replicas: 1 → 0/)
    assert.ok(!shown.stdout.includes('\u202e') && !shown.stdout.includes('\u001b'))
    assert.equal(await w.replicas(tenant, 'hinted'), 1)
  })

  it(
    'is thirty lines of Python: reads, sees its alert, proposes, and follows',
    unlessCi(noPython),
    async () => {
      await w.deployment(tenant, 'wild', 3)
      const folder = join(cacheRoot(), 'python-agent')
      await mkdir(folder, { recursive: true })
      const source = await readFile(join(root, 'data-plane/agents/python/agent.py'), 'utf8')
      assert.ok(source.trimEnd().split('\n').length <= 30)
      assert.match(source, /127\.0\.0\.1:7442/)
      await writeFile(
        join(folder, 'agent.py'),
        source.replace('http://127.0.0.1:7442', sidecar.url),
      )
      const guide = await readFile(join(root, 'docs/guide/any-agent.md'), 'utf8')
      const script = /^```sh\n([\s\S]*?)^```$/m.exec(guide)?.[1] ?? ''
      await alert('wild')
      const command = ['bash', '-euo', 'pipefail', '-c', script]
      const running = outcomeOf(command, { cwd: folder, signal: AbortSignal.timeout(150_000) })
      let waiting = ''
      let ended = false
      const end = () => {
        ended = true
      }
      running.then(end, end)
      await Promise.race([
        running,
        (async () => {
          while (waiting === '' && !ended) {
            const columns = 'custom-columns=N:.metadata.name,T:.spec.target,P:.status.phase'
            const args = ['-n', tenant.targets, 'get', 'intents', '--no-headers', '-o', columns]
            const { stdout } = await w.kubectl(args)
            waiting = /^(\S+)\s+Deployment \S+\/wild\s+approve/m.exec(stdout)?.[1] ?? ''
            await new Promise((resolve) => setTimeout(resolve, 100))
          }
        })(),
      ])
      if (waiting !== '') await w.approve(waiting, tenant)
      const { code, stdout, stderr } = await running
      assert.equal(code, 0, stdout + stderr)
      const said = stdout.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '))
      assert.deepEqual(
        [said[0], said[1], said[2], said.at(-2)],
        ['list_triggers ', 'kubernetes_get ', 'workload_scale approve', 'await_outcome verified'],
        stdout,
      )
      assert.equal(await w.replicas(tenant, 'wild'), 0)
    },
  )
})

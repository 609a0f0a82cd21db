import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { availability, type Cluster, up } from '@jackstay/cluster/cluster'
import { freePorts } from '@jackstay/cluster/ports'
import { intentView } from '@jackstay/contract/api'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { applyObjects } from '@jackstay/lab/install'
import { type Program, startProgram } from '@jackstay/lab/program'
import { run } from '@jackstay/lab/shell'
import { until } from './attempt.ts'
import { type BareMachine, bareMachine } from './bare-machine.ts'
import { sectionsOf } from './command-pages.ts'
import { everything } from './everything.ts'
import { prepare } from './kubelet-by-hand.ts'
import { deploymentOf, noLine, phaseOf } from './line-world.ts'

const { source } = await availability()
const skip =
  source === 'kubeconfig'
    ? 'needs a cluster without Jackstay; unset JACKSTAY_TEST_KUBECONFIG to have one made'
    : await noLine()
const page = new URL('../../docs/guide/install.md', import.meta.url)
const host = 'localhost'
const patienceMs = 180_000

describe('docs/guide/install.md in a cluster that somebody has', { skip }, () => {
  const ended = new AbortController()
  const { signal } = ended
  let cluster: Cluster
  let admin: KubeClient
  let machine: BareMachine
  let sidecar: Program | undefined
  let untouched: string
  let env: Record<string, string>
  let oncall: string
  const typed = new Set<string>()
  before(async () => {
    cluster = await up({ signal })
    const { kubectl, kubeconfig } = cluster
    admin = connect(loadConfig({ kubeconfig }), { userAgent: 'jackstay-e2e', timeoutMs: 30_000 })
    const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }
    await applyObjects({ client: admin, signal }, [shop, deploymentOf('shop', 'web', 2)])
    machine = await bareMachine(kubectl, signal)
    const person = { name: 'sasha', user: 'sasha@example.com', groups: ['platform-oncall'] }
    oncall = await cluster.issueKubeconfig(person)
    env = {
      ...{ KUBECONFIG: kubeconfig, JACKSTAY_HOME: machine.home, JACKSTAY_HOST: host },
      JACKSTAY_SERVER: `https://${host}:${machine.ports[7440]}`,
      NODE_EXTRA_CA_CERTS: join(machine.home, 'etc/tls.crt'),
    }
    untouched = await standing()
  })
  after(async () => {
    await sidecar?.stop()
    await machine?.close()
    ended.abort()
    await admin?.close()
    await cluster?.down()
  })

  /** The workload's own Pods come and go with what agents do to it. */
  async function standing(): Promise<string> {
    return (await everything(cluster)).replaceAll(/^.* shop\/web-.*\n/gm, '')
  }

  const sections = async (heading: string) => {
    const found = (await sectionsOf(page)).find((section) => section.heading === heading)
    assert.ok(found, heading)
    typed.add(heading)
    return found.blocks
  }
  /** Types a section from top to bottom; `then` is what somebody does after a block. */
  async function type(heading: string, then?: (block: string) => Promise<void>, who = env) {
    let said = ''
    for (const block of await sections(heading)) {
      const grants = block.includes('jackstay approve')
      said += await machine
        .run(block, grants ? { ...who, KUBECONFIG: oncall } : who)
        .catch(async (error: unknown) => {
          throw new Error(`${String(error)}\n${await machine.logs()}`)
        })
      await then?.(block)
    }
    return said
  }
  const cli = (line: string) => machine.run(`npx jackstay ${line}`, { ...env, KUBECONFIG: oncall })

  it('doctor says once that nothing is there', async () => {
    const said = await machine.run('npx jackstay doctor || test $? -eq 1', env)
    assert.match(said, /^wrong: Jackstay is not installed here\n {2}see docs\/guide\/install.md\n/)
    assert.doesNotMatch(said, /is missing/)
  })

  it('the chart is applied, bites, and is well', async () => {
    assert.match(await type('Kinds, roles, policies'), /^well: /m)
    await type('Who looks, decides and stops')
  })

  it('the programs run, each with rights of its own', async () => {
    await type('The programs', async () => {
      const path = join(machine.home, 'etc/host.kubeconfig')
      if (existsSync(path) || !existsSync(join(machine.home, 'etc'))) return
      await cluster.issueKubeconfig({ name: 'host', user: 'jackstay-host', path })
    })
    const names = ['jackstay-mediator', 'jackstay-registrar', 'jackstay-kubernetes-read']
    assert.deepEqual([...machine.running.keys()], names)
    for (const name of names) {
      const kubeconfig = join(machine.home, 'etc', `${name}.kubeconfig`)
      const whoami = ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']
      const { stdout } = await run(cluster.kubectl, whoami, {
        signal,
        env: { KUBECONFIG: kubeconfig },
      })
      assert.equal(stdout, `system:serviceaccount:jackstay-system:${name}`)
    }
  })

  it('a program beyond loopback without TLS ends with 2', async () => {
    const flags = ['--kubeconfig', join(machine.home, 'etc/jackstay-mediator.kubeconfig')]
    const file = join(machine.home, 'etc/alerts.token')
    const at = ['--data-dir', join(machine.home, 'open'), '--alert-token-file', file, '--port', '0']
    const args = [join(machine.home, 'mediator.mjs'), ...flags, ...at, '--host', '0.0.0.0']
    const { code, stderr } = await run(process.execPath, args, { signal })
    assert.equal(code, 2, stderr)
    assert.match(stderr, /can be reached from outside: give a TLS certificate and key/)
  })

  it('a class is granted by people and ready', async () => {
    assert.match(await type('A class'), /agentclass\S* condition met/)
  })

  it('an agent enrols by what its Pod says, and what it asks for is done once people agree', async () => {
    await type('An agent')
    await startSidecar()
    const known = async () => (await fetch(`${sidecarUrl}/v1/actions`)).ok
    await until('the mediator knows the Pod', known, patienceMs)
    const seen = await type('See that it holds', undefined, { ...env, KUBECONFIG: oncall })
    assert.match(seen, /^well: /m)
    assert.match(seen, /^jackstay-class-scalers\/agent +scalers +live/m)
    const id = await asked()
    await cli(`approve ${id} --reason seen --yes`)
    await reaches(id, 'verified/succeeded')
  })

  let sidecarUrl = ''
  /** As the Pod's containers would be started; no node runs it here. */
  async function startSidecar(): Promise<void> {
    let found: unknown
    await until('the Deployment made its Pod', async () => {
      const pods = { apiVersion: 'v1', resource: 'pods' }
      found = (await admin.list(pods, { namespace: 'jackstay-class-scalers' })).items[0]
      return found !== undefined
    })
    const starts = await prepare(admin, found, join(machine.home, 'pod'))
    const [unpack, beside] = [starts.unpack, starts.sidecar]
    assert.ok(unpack && beside)
    const unpacked = await run(process.execPath, unpack.command.slice(1), { signal })
    assert.equal(unpacked.code, 0, unpacked.stderr)
    const [, ...args] = beside.command
    const main = args.findIndex((arg) => arg.endsWith('.mjs'))
    const [port = 0] = await freePorts(1)
    sidecarUrl = `http://127.0.0.1:${port}`
    sidecar = await startProgram({
      ...{ name: 'sidecar', main: args[main] ?? '', args: [], nodeFlags: args.slice(0, main) },
      env: { ...beside.env, ...(await elsewhere(beside.mounts)), JACKSTAY_PORT: String(port) },
      logFile: join(machine.home, '../sidecar.log'),
      readyUrl: `${sidecarUrl}/readyz`,
      signal,
    })
  }

  /** What the Pod leaves at the sidecar's defaults, which are where it has its volumes. */
  async function elsewhere(mounts: Readonly<Record<string, string>>) {
    const sidecar = join(machine.home, 'sidecar.mjs')
    const { stdout } = await run(process.execPath, [sidecar, '--help'], { signal })
    const defaults = [...stdout.matchAll(/(JACKSTAY_\w+) .*\[default "(\/\S+)"\]/g)]
    assert.equal(defaults.length, 4)
    return Object.fromEntries(
      defaults.map(([, variable = '', path = '']) => {
        const mount = Object.keys(mounts).find((one) => path.startsWith(one))
        assert.ok(mount, `nothing is mounted for ${variable} at ${path}`)
        return [variable, path.replace(mount, mounts[mount] ?? '')]
      }),
    )
  }

  async function viewed(path: string, body?: object) {
    const post = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const init = body === undefined ? {} : { ...post, body: JSON.stringify(body) }
    const answer = await fetch(`${sidecarUrl}${path}`, init)
    assert.ok(answer.ok, await answer.clone().text())
    return intentView.parse(await answer.json())
  }

  async function asked(): Promise<string> {
    const view = await viewed('/v1/actions/workload.scale?wait=30', {
      target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      params: { replicas: 0 },
      reasoning: { summary: 'the guide was followed', evidence: [] },
    })
    const { id } = view.summary
    await reaches(id, 'approve')
    return id
  }

  async function reaches(id: string, wanted: string): Promise<void> {
    let at = ''
    const there = async () => {
      at = phaseOf(await viewed(`/v1/intents/${id}?wait=5`))
      // only what has ended has a reason
      return at === wanted || at.includes('/')
    }
    await until(`the intent is ${wanted}`, there, patienceMs)
    assert.equal(at, wanted)
  }

  it('taken out again, the cluster is as it was', async () => {
    await sidecar?.stop()
    await type('Take it out again')
    assert.deepEqual([...machine.running.keys()], [])
    let left = ''
    const gone = async () => {
      left = await standing()
      return left === untouched
    }
    await until('nothing is left', gone, patienceMs).catch(() => assert.equal(left, untouched))
  })

  it('every section with commands was typed, every file of the guide applied', async () => {
    const headings = (await sectionsOf(page)).filter(({ blocks }) => blocks.length > 0)
    assert.deepEqual(
      [...typed],
      headings.map(({ heading }) => heading),
    )
    const text = await readFile(page, 'utf8')
    for (const file of ['people', 'tokens', 'class', 'agent'])
      assert.match(text, new RegExp(`${file}.yaml`))
  })
})

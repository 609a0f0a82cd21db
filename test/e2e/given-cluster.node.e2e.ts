import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { availability, type Cluster, up } from '@jackstay/cluster/cluster'
import { type Ran, run } from '@jackstay/lab/shell'
import { everything } from './everything.ts'

const root = new URL('../../', import.meta.url).pathname
const signal = new AbortController().signal

const { node, source } = await availability()
const skip =
  source === 'kubeconfig'
    ? 'needs a cluster without Jackstay; unset JACKSTAY_TEST_KUBECONFIG to have one made'
    : !node && 'needs a node (root, Linux and Go)'

describe('the demo in a cluster that somebody has', { skip }, () => {
  let cluster: Cluster
  let env: Record<string, string>
  let untouched: string
  before(async () => {
    // not the one of the other suites, where Jackstay is installed
    cluster = await up({ mode: 'node' })
    env = { PATH: `${dirname(cluster.kubectl)}:${process.env.PATH}` }
    untouched = await everything(cluster)
  })
  after(() => cluster?.down())

  const start = (...flags: string[]): Promise<Ran> =>
    run('npm', ['start', '--silent', '--prefix', root, '--', ...flags], {
      ...{ signal, env, timeoutMs: 300_000 },
    })

  it('says what it would make, and makes nothing where nobody agrees', async () => {
    const asked = await start('--kubeconfig', cluster.kubeconfig)
    assert.equal(asked.code, 2, asked.stdout)
    assert.match(asked.stdout, /ClusterRole \(\d+\): .*jackstay-mediator/)
    assert.match(asked.stdout, /Namespace \(4\): jackstay-system, jackstay-executors, shop/)
    assert.match(asked.stdout, /add --yes if you agree\. Nothing was made/)
    const once = await start('--kubeconfig', cluster.kubeconfig, '--once')
    assert.equal(once.code, 2)
    assert.match(once.stderr, /add --yes/)
    assert.equal(await everything(cluster), untouched)
  })

  it('names what is wrong with a kubeconfig', async () => {
    const none = await start('--kubeconfig', '/nowhere')
    assert.equal(none.code, 2)
    assert.match(none.stdout, /`?\/nowhere/)
    const context = await start('--kubeconfig', cluster.kubeconfig, '--context', 'other')
    assert.equal(context.code, 2)
    assert.match(context.stdout, /no context `other`; pass --context with one of: jackstay/)
  })

  it('killed hard it leaves a file by which all of it goes', async () => {
    const child = spawn(
      process.execPath,
      [`${root}lab/start.ts`, '--kubeconfig', cluster.kubeconfig, '--yes'],
      {
        cwd: root,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      },
    )
    const said = await untilSaid(child, /2\. The control plane/)
    // with all its programs, which would else end by themselves a moment later
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    const [, journal = ''] = said.match(/--remove (\S+)/) ?? []
    assert.notEqual(await everything(cluster), untouched)
    const again = await start('--kubeconfig', cluster.kubeconfig, '--yes')
    assert.equal(again.code, 2, again.stdout)
    assert.match(again.stdout, /exist already and may be somebody’s: CustomResourceDefinition/)
    const removed = await start('--kubeconfig', cluster.kubeconfig, '--remove', journal)
    assert.equal(removed.code, 0, removed.stdout)
    assert.equal(await everything(cluster), untouched)
    await rm(dirname(journal), { recursive: true })
  })

  it('plays to the end and leaves the cluster as it was', async () => {
    const told = await start('--kubeconfig', cluster.kubeconfig, '--once', '--yes')
    assert.equal(told.code, 0, told.stdout + told.stderr)
    assert.match(told.stdout, /The change verified, and so does the log/)
    assert.equal(await everything(cluster), untouched)
  })
})

async function untilSaid(child: ChildProcess, pattern: RegExp): Promise<string> {
  let said = ''
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk)
    if (pattern.test(said)) return said
  }
  throw new Error(`it ended before it said ${pattern}:\n${said}`)
}

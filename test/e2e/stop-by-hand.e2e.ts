import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { passed, refusedBy, until } from './attempt.ts'
import { jackstay } from './cli-desk.ts'
import { apply, type Governed, governed, type Manifest, suffix } from './governed.ts'
import { noCluster, type World, world } from './world.ts'

const byLabel = 'jackstay-suspended-by-label'
const byKind = 'jackstay-suspended-by-kind'
const body = { spec: { replicas: 2 } }

/** Somebody with the role for it and no other, and no program of Jackstay anywhere. */
describe('suspend and resume by hand, every program dead (T73)', {
  skip: await noCluster(),
}, () => {
  let w: World
  let g: Governed
  let other: Governed
  let kubeconfig: string
  before(async () => {
    w = await world()
    g = await governed(w)
    other = await governed(w)
    const group = `responders-${suffix()}`
    await apply(w, [responderBinding(group)])
    kubeconfig = (await w.person('robin@example.com', [group])).kubeconfig
  })
  // whatever failed: nothing stays suspended
  after(async () => {
    if (w === undefined) return
    const unlabel = ['label', 'namespace', 'jackstay-system', 'jackstay.dev/suspended-']
    await w.kubectl(unlabel)
    await w.kubectl(['delete', 'suspensions', '--all'])
  })

  const type = (line: readonly string[], answer?: string) =>
    jackstay(line, { kubeconfig, ...(answer !== undefined && { answer }) })
  const dryWrite = (extra: Record<string, readonly string[]> = {}) =>
    g.patch(body, { dryRun: true, as: w.executor(g.class, { ...g.extra, ...extra }) })
  const undo = { 'jackstay.dev/phase': ['undo'] }
  const free = () => until('it writes again', async () => (await dryWrite()).status < 300)

  /** Stops, is refused at the API server, resumes, writes again. */
  async function stopsAndResumes(scope: readonly string[], policy: string): Promise<string> {
    await free()
    const stopped = await type(['suspend', ...scope, '--reason', 'incident 7'])
    assert.deepEqual({ exit: stopped.exit, err: stopped.err }, { exit: 0, err: '' })
    assert.match(stopped.out, /by robin@example.com.*: incident 7/)
    assert.match(stopped.out, new RegExp(`enforced by the API server itself: ${policy}`))
    await until('it bites', async () => (await dryWrite()).status >= 400)
    refusedBy(policy, await dryWrite())
    refusedBy(policy, await dryWrite(undo))
    const asked = await type(['resume', ...scope], 'no')
    assert.equal(asked.exit, 1)
    refusedBy(policy, await dryWrite())
    const resumed = await type(['resume', ...scope], 'yes')
    assert.equal(resumed.exit, 0, resumed.err)
    assert.match(resumed.out, /resumed: /)
    await free()
    return stopped.out
  }

  it('--all, by one label that needs no kind of ours', async () => {
    await stopsAndResumes(['--all'], byLabel)
  })

  it('--namespace, and no other namespace', async () => {
    await stopsAndResumes(['--namespace', g.target], byLabel)
    await type(['suspend', '-n', g.target])
    passed(await other.patch(body, { dryRun: true }))
    assert.equal((await type(['resume', '-n', g.target, '--yes'])).exit, 0)
  })

  it('--class, --agent, --action and --target', async () => {
    await stopsAndResumes(['--class', g.class], byKind)
    await stopsAndResumes(['--agent', `${g.namespace}/${g.agent}`], byKind)
    await stopsAndResumes(['--action', 'workload.scale'], byKind)
    await stopsAndResumes(['--target', `${g.target}/deploy/api`], byKind)
    for (const scope of [
      ['--class', g.class],
      ['--agent', `${g.namespace}/${g.agent}`],
      ['--target', `${g.target}/Deployment/api`],
    ]) {
      assert.equal((await type(['suspend', ...scope])).exit, 0)
      passed(await other.patch(body, { dryRun: true }))
      assert.equal((await type(['resume', ...scope, '--yes'])).exit, 0)
    }
  })

  it('--undo allow lets what was begun be taken back', async () => {
    await free()
    assert.equal((await type(['suspend', '--class', g.class, '--undo', 'allow'])).exit, 0)
    await until('it bites', async () => (await dryWrite()).status >= 400)
    passed(await dryWrite(undo))
    assert.equal((await type(['resume', '--class', g.class, '--yes'])).exit, 0)
    await free()
  })

  it('--for says when it was meant to end and lifts nothing; --for with --wait does', async () => {
    for (const scope of [['--all'], ['--class', g.class]]) {
      await type(['suspend', ...scope, '--for', '1s'])
      const again = async () => (await type(['suspend', '--namespace', other.target])).out
      await until('it is overdue', async () => /overdue since/.test(await again()))
      assert.equal((await dryWrite()).status, 403)
      await type(['resume', ...scope, '--yes'])
      await type(['resume', '--namespace', other.target, '--yes'])
      await free()
      const waited = await type(['suspend', ...scope, '--for', '1s', '--wait'])
      assert.equal(waited.exit, 0, waited.err)
      assert.match(waited.out, /resumed: /)
      await free()
    }
  })

  it('is refused to somebody without the role, in words that say whom to ask', async () => {
    const { kubeconfig: own } = await w.person('nobody@example.com')
    for (const scope of ['--all', '--class=sre']) {
      const said = await jackstay(['suspend', scope], { kubeconfig: own })
      assert.equal(said.exit, 3)
      assert.match(said.err, /ask for the role `jackstay-responder`/)
    }
    await free()
  })
})

function responderBinding(group: string): Manifest {
  const apiGroup = 'rbac.authorization.k8s.io'
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: group },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'jackstay-responder' },
    subjects: [{ apiGroup, kind: 'Group', name: group }],
  }
}

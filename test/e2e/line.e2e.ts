import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { IntentView } from '@jackstay/contract/api'
import { readEvent } from '@jackstay/contract/history'
import { fold } from '@jackstay/contract/record'
import { apply, type Manifest } from './governed.ts'
import { ledgerVerdict } from './ledger-verdict.ts'
import { type LineWorld, lineWorld, noLine, oncall, phaseOf, type Tenant } from './line-world.ts'

function record(view: IntentView) {
  return fold(view.summary.id, view.events.map(readEvent))
}

describe('the line on a real API server', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant()
  })
  after(async () => await w?.close())

  it('takes an intent from the signature over a kubectl approval to a verified change', async () => {
    await w.deployment(tenant, 'story', 2)
    const waiting = await tenant.agent.scale(0, { namespace: tenant.targets, name: 'story' })
    assert.equal(phaseOf(waiting), 'approve', JSON.stringify(waiting.summary))
    assert.equal(await w.replicas(tenant, 'story'), 2)
    const { id } = waiting.summary
    await w.approve(id, tenant)
    const ended = await tenant.agent.follow(id)
    assert.equal(phaseOf(ended), 'verified/succeeded')
    assert.equal(await w.replicas(tenant, 'story'), 0)
    const leaves = ended.events.flatMap((event) => event.leafIndexes)
    assert.equal(leaves.length, 4, 'decision, approval, dispatch, outcome')
    const written = record(ended).written[0]
    assert.ok(written?.auditId, 'the write is found in the audit log of Kubernetes by its id')
  })

  it('names the intent in the audit log of Kubernetes itself', async () => {
    await w.deployment(tenant, 'audited', 1)
    const view = await tenant.agent.scale(0, { namespace: tenant.targets, name: 'audited' })
    await w.approve(view.summary.id, tenant)
    await tenant.agent.follow(view.summary.id)
    const { readFile } = await import('node:fs/promises')
    const lines = (await readFile(w.cluster.auditLog, 'utf8')).split('\n')
    const mine = lines.filter((l) => l.includes(view.summary.id) && l.includes('"verb":"patch"'))
    const write = mine.find((l) => l.includes('"resource":"deployments"') && !l.includes('dryRun'))
    assert.ok(write?.includes('jackstay.dev/intent') && write.includes(`executors:${tenant.class}`))
  })

  it('refuses by policy and writes nothing', async () => {
    const denied = await w.tenant({
      rules: [
        { name: 'allow', allow: { when: 'true' } },
        { name: 'never', deny: { when: 'intent.params.replicas == 0', message: 'not to zero' } },
      ],
    })
    await w.deployment(denied, 'kept', 2)
    const target = { namespace: denied.targets, name: 'kept' }
    const refused = await denied.agent.scale(0, target)
    assert.equal(phaseOf(refused), 'refused/denied')
    assert.equal(record(refused).ended?.decision?.fired[0]?.id, `${denied.class}/never`)
    assert.equal(refused.events.flatMap((e) => e.leafIndexes).length, 1, 'the decision is a leaf')
    assert.equal(await w.replicas(denied, 'kept'), 2)
    const objects = await w.kubectl(['-n', denied.targets, 'get', 'intents', '-o', 'name'])
    assert.equal(objects.stdout, '', 'no object per refusal')
    const body = await denied.agent.submission(1, target)
    assert.equal((await denied.agent.submit(body)).status, 202)
    await w.until(
      async () => (await w.replicas(denied, 'kept')) === 1,
      'what no rule denies is done',
    )
  })

  it('voids an approval when a field it covers moved, and keeps it when only status did (T31)', async () => {
    const { uid } = await w.deployment(tenant, 'moving', 2)
    const target = { namespace: tenant.targets, name: 'moving', uid }
    const first = await tenant.agent.scale(0, target)
    await w.kubectl(['-n', tenant.targets, 'scale', 'deployment/moving', '--replicas=3'])
    assert.equal(phaseOf(await tenant.agent.follow(first.summary.id)), 'obsolete/target_changed')
    assert.equal(await w.replicas(tenant, 'moving'), 3)

    const second = await tenant.agent.scale(0, target)
    const ref = {
      apiVersion: 'apps/v1',
      resource: 'deployments',
      namespace: tenant.targets,
      name: 'moving',
    }
    const conditions = [{ type: 'Moved', status: 'True', reason: 'Test', message: 'status only' }]
    const moved = await w.admin.mergePatch(
      ref,
      { status: { conditions } },
      { subresource: 'status' },
    )
    assert.equal(moved.kind, 'applied')
    await w.approve(second.summary.id, tenant)
    assert.equal(phaseOf(await tenant.agent.follow(second.summary.id)), 'verified/succeeded')
  })

  it('holds an agent to so many that wait, and no approval stands for two (T56)', async () => {
    const flooding = await w.tenant({ limits: { pending: 2 } })
    const ask = async (name: string) => {
      await w.deployment(flooding, name, 0)
      return flooding.agent.scale(1, { namespace: flooding.targets, name })
    }
    const [first, second] = [await ask('first'), await ask('second')]
    assert.deepEqual([first, second].map(phaseOf), ['approve', 'approve'])
    assert.equal(phaseOf(await ask('third')), 'refused/budget_exhausted')
    await w.approve(first.summary.id, flooding)
    await w.until(async () => (await w.replicas(flooding, 'first')) === 1, 'the approved one')
    assert.equal(phaseOf(await flooding.agent.follow(second.summary.id, 0)), 'approve')
    assert.equal(await w.replicas(flooding, 'second'), 0)
  })

  it('never lets what cannot be taken back go without a person, nor two of it on one (T56)', async () => {
    // the rules ask nobody
    const free = await w.tenant({ rules: [{ name: 'allow', allow: { when: 'true' } }] })
    const names = ['data-a', 'data-b']
    await apply(
      w,
      names.map((name) => volumesOf(free.targets, name)),
    )
    const asked = await Promise.all(
      names.map((name) => {
        const target = { kind: 'StatefulSet', namespace: free.targets, name }
        return free.agent.ask('workload.scale', { replicas: 1 }, target)
      }),
    )
    assert.deepEqual(asked.map(phaseOf), ['approve', 'approve'])
    const [first, second] = asked
    assert.ok(first && second)
    const { plan, decision } = record(first).rehearsed ?? assert.fail('not rehearsed')
    assert.equal(plan.reversibility, 'irreversible')
    assert.deepEqual(
      decision.requirements.map(({ from, count }) => [from, count]),
      [[`class/${free.class}`, 1]],
    )
    await w.approve(first.summary.id, free)
    const replicas = async (name: string) => {
      const args = ['-n', free.targets, 'get', 'statefulset', name, '-o']
      return (await w.kubectl([...args, 'jsonpath={.spec.replicas}'])).stdout
    }
    await w.until(async () => (await replicas('data-a')) === '1', 'the approved one')
    assert.equal(phaseOf(await free.agent.follow(second.summary.id, 0)), 'approve')
    assert.equal(await replicas('data-b'), '2')
    await w.approve(second.summary.id, free, { verdict: 'reject' })
    assert.equal(phaseOf(await free.agent.follow(second.summary.id)), 'rejected/rejected')
  })

  it('refuses what was deleted and made again under the same name (T32)', async () => {
    const { uid } = await w.deployment(tenant, 'twin', 2)
    const target = { namespace: tenant.targets, name: 'twin', uid }
    const waiting = await tenant.agent.scale(0, target)
    await w.kubectl(['-n', tenant.targets, 'delete', 'deployment/twin', '--wait'])
    await w.deployment(tenant, 'twin', 2)
    assert.equal(phaseOf(await tenant.agent.follow(waiting.summary.id)), 'obsolete/target_changed')
    assert.equal(phaseOf(await tenant.agent.scale(0, target)), 'refused/target_not_found')
    assert.equal(await w.replicas(tenant, 'twin'), 2)
  })

  it('restores the previous state when the change does not verify', async () => {
    const hasty = await w.tenant({ verifySeconds: 2 })
    await w.deployment(hasty, 'broken', 0)
    const view = await hasty.agent.scale(3, { namespace: hasty.targets, name: 'broken' })
    await w.approve(view.summary.id, hasty)
    const ended = await hasty.agent.follow(view.summary.id)
    assert.equal(phaseOf(ended), 'rolled_back/undone', JSON.stringify(record(ended).ended))
    assert.equal(record(ended).undoing?.reason, 'verification_failed')
    assert.equal(await w.replicas(hasty, 'broken'), 0)
  })

  it('holds an undo where somebody changed the field meanwhile (T75)', async () => {
    const hasty = await w.tenant({ verifySeconds: 60 })
    await w.deployment(hasty, 'touched', 0)
    const view = await hasty.agent.scale(3, { namespace: hasty.targets, name: 'touched' })
    await w.approve(view.summary.id, hasty)
    await w.until(async () => (await w.replicas(hasty, 'touched')) === 3, 'the write lands')
    await w.kubectl(['-n', hasty.targets, 'scale', 'deployment/touched', '--replicas=2'])
    const ended = await hasty.agent.follow(view.summary.id)
    assert.equal(phaseOf(ended), 'rollback_failed/undo_held')
    assert.equal(await w.replicas(hasty, 'touched'), 2, 'never clobbered')
  })

  it('ends at once on a rejection, by expiry when nobody answers (T53)', async () => {
    await w.deployment(tenant, 'asked', 2)
    const target = { namespace: tenant.targets, name: 'asked' }
    const view = await tenant.agent.scale(0, target)
    await w.approve(view.summary.id, tenant, { verdict: 'reject' })
    assert.equal(phaseOf(await tenant.agent.follow(view.summary.id)), 'rejected/rejected')

    const soon = { when: 'true', count: 1, groups: [oncall], expiresAfter: '2s' }
    const rules = [
      { name: 'a', allow: { when: 'true' } },
      { name: 'b', requireApproval: soon },
    ]
    const brief = await w.tenant({ rules })
    await w.deployment(brief, 'asked', 2)
    const unanswered = await brief.agent.scale(0, { ...target, namespace: brief.targets })
    assert.equal(
      phaseOf(await brief.agent.follow(unanswered.summary.id)),
      'expired/approval_expired',
    )
    assert.equal(await w.replicas(brief, 'asked'), 2)
  })

  it('counts no approval for another digest, nor by somebody outside the groups (T54)', async () => {
    await w.deployment(tenant, 'digest', 2)
    const view = await tenant.agent.scale(0, { namespace: tenant.targets, name: 'digest' })
    const { id } = view.summary
    await w.approve(id, tenant, { digest: `sha256:${'0'.repeat(64)}` })
    await w
      .approve(id, tenant, { person: 'dev-1', groups: ['developers', oncall].slice(0, 1) })
      .then(
        () => assert.fail('somebody without the role approved'),
        (error: unknown) => assert.match(String(error), /forbidden/i),
      )
    assert.equal((await tenant.agent.follow(id, 2)).summary.phase, 'approve')
    await w.kubectl(['-n', tenant.targets, 'delete', 'intent', id, '--wait=false'])
    assert.equal(phaseOf(await tenant.agent.follow(id)), 'cancelled/deleted_by_owner')
  })

  it('leaves a log that verifies from its files alone', async () => {
    const result = await ledgerVerdict(w)
    assert.ok(result.ok, JSON.stringify(result))
    assert.ok(result.size >= 12)
  })
})

/** A StatefulSet that deletes volumes as it shrinks. */
function volumesOf(namespace: string, name: string): Manifest {
  const labels = { app: name }
  const containers = [{ name: 'none', image: 'jackstay.local/none:1', imagePullPolicy: 'Never' }]
  const storage = { requests: { storage: '1Gi' } }
  return {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name, namespace } },
    spec: {
      ...{ replicas: 2, serviceName: name, selector: { matchLabels: labels } },
      persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Retain' },
      template: { metadata: { labels }, spec: { containers } },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: storage },
        },
      ],
    },
  }
}

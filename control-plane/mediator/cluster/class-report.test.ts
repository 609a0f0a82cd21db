import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { catalogue } from '@jackstay/actions/catalogue'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { decide } from '@jackstay/judge/decide'
import { compileRules } from '@jackstay/judge/rules'
import { approval } from '../line/asked-builder.ts'
import { allowAll, classSpec, Line } from '../line/line-builder.ts'
import type { ClassView } from '../ports.ts'
import { classReport, policyReport } from './class-report.ts'
import { projectClass } from './cluster-caches.ts'
import { policyView } from './policy-view.ts'

/** As somebody's etcd may hold it. */
function stored(kind: string, name: string, spec: unknown) {
  const metadata = { name, uid: 'u', generation: 2, resourceVersion: '1' }
  return { apiVersion: groupVersion, kind, metadata, spec: spec as object }
}

function reported(spec: unknown, others: readonly ClassView[] = [], wide?: string) {
  const found = projectClass(stored('AgentClass', 'a', spec))
  const cluster = { approvalsOf: () => [], classes: () => others, moreThanReads: () => wide }
  return classReport(found, cluster, { oneOperator: false, catalogue })
}

/** Of a class that people granted. */
function granted(wide?: string) {
  const found = projectClass(stored('AgentClass', 'a', classSpec))
  assert.ok(found.problem === undefined)
  const subject = { kind: 'AgentClass', name: 'a', uid: found.uid } as const
  const approvals = [approval({ digest: found.hash, subject, namespace: systemNamespace })]
  const cluster = { approvalsOf: () => approvals, classes: () => [], moreThanReads: () => wide }
  return classReport(found, cluster, { oneOperator: false, catalogue })
}

describe('an AgentClass says', () => {
  it('that its spec can be followed, apart from who granted it', () => {
    const { grant, valid } = reported(classSpec)
    assert.deepEqual(valid, { ok: true, message: 'its spec can be followed' })
    assert.match(grant.message, /needs 1 approval\(s\)/)
  })

  it('which of its actions do not exist', () => {
    const targets = { namespaces: ['*'], names: ['*'] }
    const names = ['workload.scale', 'workload.scael', 'pod.exec', 'pod.exec']
    const { valid } = reported({ ...classSpec, actions: names.map((name) => ({ name, targets })) })
    assert.equal(valid.ok, false)
    assert.match(valid.message, /^the catalogue has no action `workload.scael`, `pod.exec`;/)
  })

  it('which others claim its namespace, and what that means', () => {
    const other = (name: string, namespace = classSpec.namespace): ClassView => {
      const found = projectClass(stored('AgentClass', name, { ...classSpec, namespace }))
      assert.ok(found.problem === undefined)
      return found
    }
    const mine = other('a')
    const { valid } = reported(classSpec, [mine, other('c'), other('b')])
    assert.match(valid.message, /^`b`, `c` claims the namespace .* no agent can enrol there/)
    assert.ok(reported(classSpec, [mine, other('d', 'jackstay-class-d')]).valid.ok)
  })

  it('what gives its agents more than reads, and is not ready for that alone (T85)', () => {
    const wide = 'the RoleBinding shop/x gives agents the ClusterRole `edit`'
    const { readsOnly, ready } = granted(wide)
    assert.equal(readsOnly.ok, false)
    assert.ok(readsOnly.message.startsWith(wide), readsOnly.message)
    assert.deepEqual(ready, readsOnly)
    assert.ok(granted().ready.ok)
    // the first thing that is missing is the reason
    assert.match(reported(classSpec).ready.message, /needs 1 approval/)
  })

  it('why it cannot be read, and that it grants nothing then', () => {
    for (const [spec, says] of [
      [undefined, /`spec`/],
      [{ ...classSpec, autonomy: 'free' }, /`spec.autonomy`/],
      [{ ...classSpec, limits: { ...classSpec.limits, pending: 0 } }, /`spec.limits.pending`/],
      [{ ...classSpec, sudo: true }, /sudo/],
    ] as const) {
      const { grant, valid } = reported(spec)
      assert.equal(valid.ok, false)
      assert.match(valid.message, says)
      assert.deepEqual(grant, { ok: false, message: 'it cannot be read, so it grants nothing' })
    }
  })
})

describe('an ActionPolicy says', () => {
  const view = (spec: unknown) => policyView(stored('ActionPolicy', 'p', spec))

  it('which of its actions do not exist, beside what is wrong with its rules', () => {
    assert.ok(policyReport(view({ ...allowAll, actions: ['*'] }), [], catalogue).ok)
    const misspelt = view({ ...allowAll, actions: ['workload.scale', 'workload.sclae'] })
    const rules = [{ name: 'allow', allow: { when: 'nothere' } }]
    const { problems } = compileRules([{ name: 'p', spec: { ...misspelt.spec, rules } }])
    const { ok, message } = policyReport(misspelt, problems, catalogue)
    assert.equal(ok, false)
    assert.match(message, /^allow: .*; the catalogue has no action `workload.sclae`;/)
  })

  it('why it cannot be read, and denies everything until it is repaired (T17)', async () => {
    for (const [spec, says] of [
      [undefined, /`spec`/],
      [{ ...allowAll, mode: 'audti' }, /`spec.mode`/],
      [{ ...allowAll, mode: 'audit', rules: [{ name: 'r' }] }, /exactly one of `deny`/],
      [{ ...allowAll, denny: [] }, /denny/],
    ] as const) {
      const broken = view(spec)
      const { ok, message } = policyReport(broken, [], catalogue)
      assert.equal(ok, false)
      assert.match(message, says)
      assert.match(message, /^it cannot be read, so it denies everything: /)
      const line = new Line()
      const { rules } = compileRules([{ name: 'fine', spec: allowAll }, broken])
      line.rules = { decide: async (question) => decide({ ...question, rules }) }
      assert.equal(await line.toEnd(), 'refused/denied')
      assert.match(line.record().ended?.message ?? '', /^denied by p\/unreadable: .*cannot be read/)
      assert.deepEqual(line.cluster.effects, [])
    }
  })
})

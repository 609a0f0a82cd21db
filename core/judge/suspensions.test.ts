import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { SuspensionSpec } from '@jackstay/contract/kinds/suspension'
import { suspendedBy } from './suspensions.ts'

const label = { 'jackstay.dev/suspended': '' }
const ask = (suspensions: SuspensionSpec[], undo = false, labels = {}) =>
  suspendedBy({
    systemLabels: {},
    namespaceLabels: {},
    suspensions,
    class: 'sre',
    agent: 'jackstay-class-sre/healer',
    action: 'workload.scale',
    target: { namespace: 'shop', kind: 'Deployment', name: 'api' },
    undo,
    ...labels,
  })

it('stops everything by label, undos too, whatever the value', () => {
  for (const undo of [false, true]) {
    assert.match(ask([], undo, { systemLabels: label })?.why ?? '', /everything/)
    assert.match(ask([], undo, { namespaceLabels: label })?.why ?? '', /namespace/)
  }
  assert.equal(ask([]), undefined)
})

it('stops the class, the agent or the action that is named, and no other', () => {
  const reason = 'incident 7'
  for (const one of [
    { class: 'sre' },
    { agent: 'jackstay-class-sre/healer' },
    { action: 'workload.scale' },
  ]) {
    assert.match(ask([{ ...one, reason }])?.why ?? '', /suspended: incident 7/)
    assert.notEqual(ask([{ ...one, reason }], true), undefined)
    assert.notEqual(ask([{ ...one, reason, undo: 'hold' }], true), undefined)
    assert.equal(ask([{ ...one, reason, undo: 'allow' }], true), undefined)
    assert.notEqual(ask([{ ...one, reason, undo: 'allow' }], false), undefined)
  }
  assert.equal(
    ask([
      { class: 'other', reason },
      { action: 'workload.restart', reason },
    ]),
    undefined,
  )
})

it('stops the one target that is named, of the same namespace, kind and name', () => {
  const target = { namespace: 'shop', kind: 'Deployment', name: 'api' }
  const reason = 'incident 7'
  assert.match(ask([{ target, reason }])?.why ?? '', /`Deployment shop\/api` is suspended/)
  assert.equal(ask([{ target, undo: 'allow', reason }], true), undefined)
  for (const other of [{ namespace: 'bank' }, { kind: 'StatefulSet' }, { name: 'web' }]) {
    assert.equal(ask([{ target: { ...target, ...other }, reason }]), undefined)
  }
  const { namespace: _, ...clusterScoped } = target
  assert.equal(ask([{ target: clusterScoped, reason }]), undefined)
})

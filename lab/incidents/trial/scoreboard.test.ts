import assert from 'node:assert/strict'
import { it } from 'node:test'
import { incidentNamed } from '../catalogue.ts'
import type { Asked, Verdict } from '../verdict.ts'
import { type Row, scoreOf } from './scoreboard.ts'

const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'a', name: 'b' }
const asking = { action: 'workload.scale', target, params: { replicas: 2 } }

function row(name: string, word: Verdict['word'], ...phases: readonly string[]): Row {
  const incident = incidentNamed(name)
  assert.ok(incident)
  const asked = phases.map((phase): Asked => ({ asking, phase }))
  const nothing: Verdict = { word: 'failed', asked: [], reasons: [] }
  const agent: Verdict = { word, asked, reasons: [] }
  return { incident, verdicts: { nothing, reference: nothing, dangerous: nothing, agent } }
}

it('precision counts every intent, also those that came to nothing', () => {
  const right = row('bad-tag', 'passed', 'verified')
  const precision = (...rows: readonly Row[]) => scoreOf(rows).precision
  assert.equal(precision(), 1)
  assert.equal(precision(right), 1)
  for (const phase of ['failed', 'rolled_back', 'refused', 'verified']) {
    assert.equal(precision(right, row('scaled-to-zero', 'failed', phase)), 1 / 2, phase)
  }
  assert.equal(precision(row('bad-tag', 'passed', 'failed', 'rolled_back', 'verified')), 1 / 3)
  assert.equal(precision(right, row('healthy', 'dangerous', 'verified')), 1 / 2)
})

it('recall does not count what ended without anything asked for', () => {
  const rows = [row('bad-tag', 'passed', 'verified'), row('scaled-to-zero', 'passed')]
  assert.equal(scoreOf(rows).recall, 1 / 2)
})

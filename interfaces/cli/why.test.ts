import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { IntentView } from '@jackstay/contract/api'
import { erasableNames, redactEvent } from '@jackstay/contract/redaction'
import { recordOf, renderIntent, renderList } from './intents.ts'
import { render, renderJson } from './screen.ts'
import { story, untilApproval, untilWritten, verified } from './story-builder.ts'
import { renderWhy, wrapped } from './why.ts'

function why(view: IntentView, colours = false): string {
  const leaves = view.events.map(({ type, leafIndexes }) => ({ event: type, indexes: leafIndexes }))
  return render(renderWhy(recordOf(view), leaves), colours)
}

test('tells the whole story of a verified intent on one screen', () => {
  const text = why(story(verified))
  for (const expected of [
    /verified — succeeded: 5 of 5 replicas ready/,
    /alert HighLatency, firing since 2026-01-02T03:04:00/,
    /severity=page/,
    /the agent's own words/,
    /“latency is above the target, more replicas will help”/,
    /scale Deployment shop\/checkout from 3 to 5/,
    /w1 patch Deployment shop\/checkout/,
    /\/spec\/replicas: 3 → 5/,
    /digest sha256:[0-9a-f]{64}/,
    /allow +base\/scale-up/,
    /requireApproval +base\/peak/,
    /needs 1 approval by sre \(base\/peak\)/,
    /approved by alice@example.com at .*: known peak \(sre\)/,
    /w1 applied at .*, audit id audit-1/,
    /Verification +succeeded/,
    /Undo +not needed/,
    /leaf 7 \(rehearsed\); leaf 8 \(dispatched\); leaf 9 \(ended\)/,
  ]) {
    assert.match(text, expected)
  }
  const lines = text.split('\n')
  assert.ok(lines.length <= 45, `${lines.length} lines`)
})

test('approval and execution are two things', () => {
  const text = why(story([...untilApproval, 'approved']))
  assert.match(text, /Approval +approved by alice/)
  assert.match(text, /Execution +nothing was written/)
})

test('an intent that waits says how long and what to type', () => {
  const text = why(story(untilApproval))
  assert.match(text, /approve — not ended yet/)
  assert.match(text, /waits until 2026/)
  assert.match(text, /jackstay approve 019a0000-0000-7000-8000-000000000001 --reason/)
})

test('a refused intent names the stage and shows what was never reached', () => {
  const ended = {
    phase: 'refused',
    stage: 'admit',
    reason: 'suspended',
    message: 'the class is suspended',
  }
  const text = why(
    story(['ended'], {
      ended: { ...ended, phase: 'refused', stage: 'admit', reason: 'suspended' },
    }),
  )
  assert.match(text, /refused — suspended/)
  assert.match(text, /Plan +ended in admit, before/)
})

test('an undo is told write by write', () => {
  const text = why(
    story([...untilWritten, 'executed', 'undoing', 'undoDispatched', 'undone', 'ended'], {
      ended: { phase: 'rolled_back', stage: 'undo', reason: 'undone', message: 'as before' },
    }),
  )
  assert.match(text, /Verification +verification_failed: 5 of 5 Pods crash/)
  assert.match(text, /w1 applied at .*, known by reading the object, audit id audit-2/)
  assert.match(text, /rolled_back at/)
})

const esc = '\u001b'
const hostile = `${esc}[2J${esc}[31mapproved${esc}]8;;http://evil\u0007 \u202egnihton \u200b\u009b1A\r\nfake line`

/** A story in which everything somebody else wrote is hostile. */
function hostileStory(): IntentView {
  const { events } = story(verified)
  const first = events[0]?.data
  assert.ok(first !== null && typeof first === 'object' && 'trigger' in first)
  const trigger = { ...Object(first.trigger), labels: { alertname: hostile, [hostile]: hostile } }
  return story(verified, {
    authenticated: {
      reasoning: { summary: hostile, evidence: [], salt: '0'.repeat(32) },
      trigger,
    },
    ended: { message: hostile },
    written: { message: hostile, outcome: 'refused' },
  })
}

/** Everything a terminal acts on or hides, but our own line ends. */
function isQuiet(text: string): boolean {
  return !/[\p{Cc}\p{Cf}]/u.test(text.replaceAll('\n', ''))
}

test('T55 text of agents and alerts reaches the screen escaped', () => {
  const text = why(hostileStory())
  assert.ok(isQuiet(text))
  assert.match(text, /\\u\{1b\}\[2J/)
  assert.match(text, /\\u\{202e\}gnihton/)
  assert.doesNotMatch(text, /^fake line/m)
})

test('T55 with colours the only control sequences are our own styles', () => {
  const text = why(hostileStory(), true)
  assert.ok(text.includes(`${esc}[32m`))
  assert.ok(isQuiet(stripVTControlCharacters(text)))
  for (const sequence of text.split(esc).slice(1)) assert.match(sequence, /^\[\d{1,2}m/)
})

test('T55 JSON carries hidden characters as escapes, and the same value', () => {
  const text = renderJson({ text: hostile })
  assert.ok(isQuiet(text))
  assert.deepEqual(JSON.parse(text), { text: hostile })
})

test('lists in aligned columns, with the age of each', () => {
  const { summary } = story(verified)
  const now = Date.parse(summary.receivedAt) + 5 * 60_000
  const lines = render(renderList([summary, { ...summary, phase: 'approve' }], now), false).split(
    '\n',
  )
  assert.match(lines[0] ?? '', /^ID +PHASE +ACTION +TARGET +AGENT +REASON +AGE$/)
  assert.match(lines[1] ?? '', / verified +workload.scale +Deployment shop\/checkout .* 5m$/)
  assert.equal(lines[1]?.indexOf('workload'), lines[2]?.indexOf('workload'))
})

test('a hostile cell keeps the columns and cannot break the line', () => {
  const { summary } = story(verified)
  const text = render(renderList([{ ...summary, target: hostile }], Date.now()), false)
  assert.equal(text.split('\n').length, 3)
  assert.ok(isQuiet(text))
})

test('shows the events of one intent and where they stand in the ledger', () => {
  const text = render(renderIntent(story(verified)), false)
  assert.match(text, /5 +\S+ +rehearsed +leaf 7/)
  assert.match(text, /the whole story: jackstay why/)
})

test('wraps at blanks and inside a word only where it must', () => {
  assert.deepEqual(wrapped('aa bb cc', 5), ['aa bb', 'cc'])
  assert.deepEqual(wrapped('abcdefgh', 3), ['abc', 'def', 'gh'])
})

test('T72 what was erased is shown as erased, with the leaf that says why', () => {
  const view = story(verified)
  const erased: IntentView = {
    ...view,
    events: view.events.map((event) => ({
      ...event,
      data: redactEvent(event.type, JSON.parse(JSON.stringify(event.data)), erasableNames, 42),
    })),
  }
  const text = why(erased)
  assert.match(text, /Agent says +\[redacted\]: leaf 42 says why/)
  assert.match(text, /parameters \[redacted\]: leaf 42/)
  assert.match(text, /Redacted +.*reasoning.*: leaf 42 says who erased it and why/)
  assert.match(text, /approved by alice@example.com at .*: \[redacted\]/)
  for (const gone of ['latency', '3 → 5', 'known peak', 'HighLatency', '"replicas"']) {
    assert.ok(!text.includes(gone), gone)
  }
  const table = render(renderIntent(erased), false)
  assert.match(table, /authenticated +reasoning \(leaf 42\), params \(leaf 42\), trigger/)
  assert.doesNotMatch(why(view), /Redacted|\[redacted\]/)
})

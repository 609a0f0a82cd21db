import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { IntentView } from '@jackstay/contract/api'
import type { Decision } from '@jackstay/contract/decision'
import type { EventData } from '@jackstay/contract/history'
import { type Json, sha256 } from '@jackstay/contract/json'
import { groundsOf } from '@jackstay/judge/grounds'
import { sampleApproval, sampleFacts } from '@jackstay/judge/sample-facts'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { seal } from '@jackstay/ledger/sealed'
import { openStore } from '@jackstay/ledger/store'
import { Desk, type Fake, startFake, tokenRoute } from '../fake-servers.ts'
import { story } from '../story-builder.ts'
import { PolicyDesk, policyYaml } from './desk.ts'

const desk = new PolicyDesk()
let api: Fake
let mediator: Fake
let person: Desk
before(async () => {
  api = await startFake()
  mediator = await startFake()
  person = new Desk(api.origin, mediator.origin)
})
after(async () => {
  desk.clean()
  person.clean()
  await Promise.all([api.stop(), mediator.stop()])
})
beforeEach(() => {
  api.routes = tokenRoute
})

const same = desk.write(
  'same.yaml',
  policyYaml('- name: small\n  allow: { when: intent.params.replicas <= 5 }'),
)
const strict = desk.write(
  'strict.yaml',
  policyYaml(`- name: small
  allow: { when: intent.params.replicas <= 5 }
- name: odd
  deny: { when: intent.params.replicas == 3 }
- name: four
  requireApproval: { when: intent.params.replicas == 4, count: 2, groups: [sre] }`),
)

const facts = (replicas: number) => ({
  ...sampleFacts,
  intent: { action: 'workload.scale', params: { replicas } },
})
const grounds = (replicas: number) => groundsOf(facts(replicas), sampleApproval)
const allowed: Decision = {
  effect: 'allow',
  reason: 'allowed by p/small',
  fired: [],
  evaluated: 1,
  requirements: [],
  rulesHash: sha256(''),
}

/** An intent that was allowed to scale to so many. */
function allowedView(replicas: number): IntentView {
  const decided = { decision: allowed, grounds: grounds(replicas) }
  return story(['admitted', 'planned', 'decided'], { decided })
}

/** One that was denied, which ends it. */
function deniedView(replicas: number): IntentView {
  const reason = 'denied because no rule allows'
  const ended: EventData<'ended'> = {
    phase: 'refused',
    stage: 'decide',
    reason: 'denied',
    message: 'no',
    decision: { ...allowed, effect: 'deny', reason },
    grounds: grounds(replicas),
  }
  return story(['admitted', 'planned', 'ended'], { ended })
}

const views = [allowedView(2), allowedView(3), allowedView(4), deniedView(9), deniedView(5)]
const unjudged = [story(['admitted', 'planned', 'decided']), story(['admitted'])]

const origin = 'jackstay.dev/00000000-0000-4000-8000-000000000000'

/** A data directory with these histories. */
async function dataFolder(name: string, all: readonly IntentView[]): Promise<string> {
  const directory = `${desk.folder}/${name}`
  const key = await loadOrCreateKey(directory, origin)
  const store = await openStore({ directory, origin, key, clock: { now: () => 0 } })
  for (const [i, { events }] of all.entries()) {
    const plain: Json = JSON.parse(
      JSON.stringify(events.map(({ type, at, data }) => ({ type, at, data }))),
    )
    assert.ok(Array.isArray(plain))
    await store.append({
      intentId: `intent-${i}`,
      expectedSeq: 0,
      events: plain,
      leaves: [],
      phase: 'decide',
      terminal: false,
    })
  }
  await store.close()
  return directory
}

describe('policy replay', () => {
  it('judges a data directory again, and shows what would change', async () => {
    const data = await dataFolder('data', [...views, ...unjudged])
    const { exit, out, err } = await desk.policy('replay', '--data', data, strict)
    assert.deepEqual({ exit, err }, { exit: 0, err: '' })
    assert.match(out, /intent-1 .*scale Deployment shop\/web/)
    assert.match(out, /was {6}allow — allowed by p\/small\n {2}becomes {2}deny — denied by p\/odd/)
    assert.match(out, /becomes {2}approval by 2 of sre — /)
    assert.match(
      out,
      /was {6}deny — denied because no rule allows\n {2}becomes {2}allow — allowed by p\/small/,
    )
    assert.match(
      out,
      /would change — 3 of 5 decisions judged again, of 7 intents: 1 allow → deny, 1 allow → approval, 1 deny → allow/,
    )
    assert.match(out, /not judged again: 1, recorded before facts were kept \(such as intent-5\)/)
    assert.match(out, /not judged again: 1, no rule was asked \(such as intent-6\)/)
  })

  it('fails on a change where that is asked for, and not where all is the same', async () => {
    const data = await dataFolder('same', views.slice(0, 4))
    const kept = await desk.policy('replay', '--data', data, same, '--expect-same')
    assert.equal(kept.exit, 0, kept.err)
    assert.match(kept.out, /^the same — 0 of 4 decisions judged again/)
    const changed = await desk.policy(
      'replay',
      '--data',
      data,
      strict,
      '--expect-same',
      '-o',
      'json',
    )
    assert.equal(changed.exit, 1)
    assert.match(changed.err, /decisions_change/)
    const { changes, kinds } = JSON.parse(changed.out)
    assert.deepEqual(kinds, { 'allow → deny': 1, 'allow → approval': 1 })
    assert.deepEqual(changes[1].becomes.asks, ['2 of sre'])
  })

  it('takes other people to be asked for a change', async () => {
    const from = 'p/four'
    const requirements = [{ from, count: 1, groups: ['sre'], expiresAfter: 3600 }]
    const decided = { decision: { ...allowed, requirements }, grounds: grounds(4) }
    const data = await dataFolder('asks', [story(['admitted', 'planned', 'decided'], { decided })])
    const { out } = await desk.policy('replay', '--data', data, strict)
    assert.match(out, /was {6}approval by 1 of sre — .*\n {2}becomes {2}approval by 2 of sre/)
    assert.match(out, /1 approval → approval/)
  })

  it('asks the mediator page by page where no folder is given', async () => {
    const [first = allowedView(2), second = allowedView(2)] = views
    const page = ({ summary }: IntentView, id: string) => ({ ...summary, id })
    mediator.routes = {
      'GET /v1/intents': ({ url }) => {
        const last = url.searchParams.get('before') === '7'
        const intents = last ? [page(second, 'b')] : [page(first, 'a')]
        return { status: 200, body: last ? { intents } : { intents, next: '7' } }
      },
      'GET /v1/intents/a': { status: 200, body: first },
      'GET /v1/intents/b': { status: 200, body: second },
    }
    const { exit, out, err } = await person.run(['policy', 'replay', strict])
    assert.equal(exit, 0, err)
    assert.match(out, /1 of 2 decisions judged again, of 2 intents: 1 allow → deny/)
  })

  it('judges an exported log, and believes no facts but those a leaf commits to', async () => {
    const leaf = (intent: string, replicas: number, told = replicas) => {
      const value: Json = JSON.parse(JSON.stringify(grounds(replicas)))
      const other: Json = JSON.parse(JSON.stringify(grounds(told)))
      const { commitments, rows } = seal({ facts: value })
      const { effect, requirements } = allowed
      return {
        index: 0,
        kind: 'decision',
        intent,
        sealed: commitments,
        data: { time: '2026-01-01T00:00:00Z', data: { decision: { effect, requirements } } },
        values: { facts: { salt: rows[0]?.salt, value: other } },
      }
    }
    const { values: _, ...bare } = leaf('c', 3)
    const lines = [leaf('a', 3), leaf('b', 2, 3), bare, { index: 4, kind: 'outcome' }]
    desk.write('bundle/leaves.jsonl', lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const { exit, out, err } = await desk.policy(
      'replay',
      '--data',
      `${desk.folder}/bundle`,
      strict,
    )
    assert.equal(exit, 0, err)
    assert.match(out, /1 of 1 decision judged again, of 3 intents: 1 allow → deny/)
    assert.match(out, /not the ones that the leaf commits to \(such as b\)/)
    assert.match(out, /the bundle does not hold the facts \(such as c\)/)
  })

  it('judges what `ledger export --with-values` hands out', async () => {
    const data = `${desk.folder}/whole`
    const key = await loadOrCreateKey(data, origin)
    const store = await openStore({ directory: data, origin, key, clock: { now: () => 0 } })
    const decision: Json = { effect: 'allow', requirements: [] }
    for (const replicas of [2, 3]) {
      const { events } = allowedView(replicas)
      const last: Json = JSON.parse(JSON.stringify(events[0]?.data))
      const facts: Json = JSON.parse(JSON.stringify(grounds(replicas)))
      const time = '2026-01-01T00:00:00Z'
      await store.append({
        intentId: `intent-${replicas}`,
        expectedSeq: 0,
        events: [{ type: 'authenticated', at: time, data: last }],
        leaves: [
          {
            kind: 'decision',
            data: { time, data: { decision } },
            sealed: { facts },
          },
        ],
        phase: 'decide',
        terminal: false,
      })
    }
    await store.close()
    for (const [flags, says] of [
      [['--with-values'], /1 of 2 decisions judged again, of 2 intents: 1 allow → deny/],
      [[], /not judged again: 2, the bundle does not hold the facts/],
    ] as const) {
      const out = `${desk.folder}/out${flags.length}`
      const made = await person.run(['ledger', 'export', '--data', data, '--out', out, ...flags])
      assert.equal(made.exit, 0, made.err)
      const ran = await desk.policy('replay', '--data', out, strict)
      assert.match(ran.out, says)
    }
  })

  it('names what is no ledger, and what is damaged in one', async () => {
    desk.write('nothing/x', '')
    const nothing = await desk.policy('replay', '--data', `${desk.folder}/nothing`, same)
    assert.deepEqual(
      [nothing.exit, /neither a data directory nor a bundle/.test(nothing.err)],
      [2, true],
    )
    const missing = await desk.policy('replay', '--data', `${desk.folder}/none`, same)
    assert.equal(missing.exit, 4)
    desk.write('torn/leaves.jsonl', '{"kind":')
    const torn = await desk.policy('replay', '--data', `${desk.folder}/torn`, same)
    assert.match(torn.err, /leaves.jsonl:1` is no JSON/)
    desk.write('endless/leaves.jsonl', 'x'.repeat(17 * 1024 * 1024))
    const endless = await desk.policy('replay', '--data', `${desk.folder}/endless`, same)
    assert.equal(endless.exit, 2)
    assert.match(endless.err, /has a line of more than \d+ characters/)
    const { events, summary } = allowedView(2)
    const data = await dataFolder('damaged', [{ summary, events: events.slice(1) }, allowedView(2)])
    const damaged = await desk.policy('replay', '--data', data, same)
    assert.match(damaged.out, /0 of 1 decision judged again, of 2 intents/)
    assert.match(
      damaged.out,
      /the history cannot be read: the history of `intent-0` does not begin/,
    )
    const alone = await dataFolder('alone', [{ summary, events: events.slice(1) }])
    const none = await desk.policy('replay', '--data', alone, same, '--expect-same')
    assert.equal(none.exit, 1)
    assert.match(none.err, /no decision could be judged again.* \[nothing_judged\]/)
  })
})

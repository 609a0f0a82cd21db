import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { z } from 'zod'
import type { Concern } from './concerns.ts'
import { pageOf } from './concerns.ts'
import { pager } from './pager.ts'
import { overdue } from './start.ts'

const posted = z.array(
  z.strictObject({
    labels: z.record(z.string().regex(/^[a-zA-Z_]\w*$/), z.string().min(1)),
    annotations: z.record(z.string().regex(/^[a-zA-Z_]\w*$/), z.string()),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime(),
  }),
)
type Posted = z.infer<typeof posted>

const approval: Concern = {
  ...{ kind: 'approval', id: 'i1', action: 'workload.scale', namespace: 'shop', class: 'web' },
  ...{ summary: 'scale web', needs: '1 of oncall', expires: '2026-01-01T12:15:00.000Z' },
}
const breaker: Concern = {
  ...{ kind: 'breaker', scope: 'agent', key: 'a/b', cause: 'refusals' },
  retryAt: '2026-01-01T12:01:00.000Z',
}

/** A pager whose Alertmanager is a list. */
function aPager(answer: (authorization: string | null) => number = () => 200) {
  const posts: Posted[] = []
  const tokens: (string | null)[] = []
  const world = { concerns: [] as readonly Concern[], now: Date.parse('2026-01-01T12:00:00Z') }
  const registry = metrics({ name: 'test', process: false })
  const { round } = pager({
    url: new URL('http://127.0.0.1:9093/prefix/'),
    token: async () => 'secret',
    concerns: async () => world.concerns,
    fetch: async (url, init) => {
      assert.equal(String(url), 'http://127.0.0.1:9093/prefix/api/v2/alerts')
      const authorization = new Headers(init?.headers).get('authorization')
      tokens.push(authorization)
      const status = answer(authorization)
      if (status === 200) posts.push(posted.parse(JSON.parse(String(init?.body))))
      return new Response(null, { status })
    },
    clock: { now: () => world.now },
    log: logger({ name: 'test', redact: (text) => text, level: 'silent' }),
    metrics: registry,
    signal: new AbortController().signal,
  })
  return { posts, tokens, world, round, text: async () => (await registry.expose()).text }
}

describe('the pager', () => {
  it('fires what stands, keeps its start, and ends what is over, once', async () => {
    const { posts, tokens, world, round } = aPager()
    await round()
    assert.equal(posts.length, 0, 'nothing to say')
    world.concerns = [approval, breaker]
    await round()
    world.now += 10_000
    world.concerns = [approval]
    await round()
    await round()
    world.concerns = []
    await round()
    await round()
    const shown = posts.map((alerts) =>
      alerts.map(({ labels, startsAt, endsAt }) => [
        labels.alertname,
        Date.parse(startsAt) - Date.parse('2026-01-01T12:00:00Z'),
        Date.parse(endsAt) - Date.parse('2026-01-01T12:00:00Z'),
      ]),
    )
    assert.deepEqual(shown, [
      [
        ['JackstayApprovalPending', 0, 60_000],
        ['JackstayBreakerOpen', 0, 60_000],
      ],
      [
        ['JackstayApprovalPending', 0, 70_000],
        ['JackstayBreakerOpen', 0, 10_000],
      ],
      [['JackstayApprovalPending', 0, 70_000]],
      [['JackstayApprovalPending', 0, 10_000]],
    ])
    assert.deepEqual([...new Set(tokens)], ['Bearer secret'])
  })

  it('tries on while nobody listens, and loses no end of an alert', async () => {
    let status = 200
    const { posts, world, round, text } = aPager(() => status)
    world.concerns = [approval]
    await round()
    status = 503
    world.concerns = []
    await round()
    assert.match(await text(), /jackstay_pager_failures_total\{[^}]*\} 1/)
    status = 200
    await round()
    assert.equal(posts.at(-1)?.[0]?.endsAt, '2026-01-01T12:00:00.000Z')
  })

  it('lists a flood by its number (T56)', async () => {
    const { posts, world, round } = aPager()
    world.concerns = Array.from({ length: 250 }, (_, i) => ({ ...approval, id: `i${i}` }))
    await round()
    assert.equal(posts[0]?.length, 101)
    assert.deepEqual(
      posts[0]?.at(-1)?.annotations.summary,
      '150 more approvals than are listed one by one',
    )
  })

  it('marks every alert as its own and says what to type (T55: nothing moves or hides text)', () => {
    const concerns: readonly Concern[] = [
      { ...approval, summary: 'scale \u202e\u001b[31mweb\nnow' },
      breaker,
      { ...approval, kind: 'undo', why: 'somebody changed it' },
      { kind: 'ledger', problem: 'unanchored', detail: 'no place keeps it' },
      ...overdue(
        [{ class: 'web', reason: 'why', until: '2026-01-01T00:00:00Z' }],
        Date.parse('2026-01-02T00:00:00Z'),
      ),
    ]
    for (const { labels, annotations } of concerns.map(pageOf)) {
      assert.equal(labels.jackstay, 'pager')
      assert.match(annotations.command ?? '', /^jackstay /)
      assert.doesNotMatch(annotations.summary ?? '', /\p{Cc}|\p{Cf}/u)
    }
    assert.equal(
      pageOf(concerns.at(-1) ?? breaker).annotations.command,
      'jackstay resume --class web',
    )
  })

  it('says nothing of a suspension that has not reached its end', () => {
    const until = '2026-01-02T00:00:00Z'
    const suspension = { action: 'workload.scale', reason: 'why', until }
    assert.deepEqual(overdue([suspension], Date.parse(until) - 1), [])
    assert.equal(overdue([suspension], Date.parse(until)).length, 1)
  })
})

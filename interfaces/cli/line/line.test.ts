import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { InboxItem } from '@jackstay/contract/people-api'
import { Desk, type Fake, startFake, tokenRoute } from '../fake-servers.ts'
import { render } from '../screen.ts'
import { inTime } from './in-time.ts'
import { inboxLines } from './inbox.ts'
import { type Status, verdictOf } from './status.ts'
import { windowLines } from './windows.ts'

const now = Date.parse('2026-01-02T03:04:05Z')
const id = '019a0000-0000-7000-8000-000000000001'

const item: InboxItem = {
  intent: {
    ...{ id, agent: 'jackstay-class-shop/runbook', action: 'workload.scale', phase: 'approve' },
    ...{ target: 'Deployment shop/web', receivedAt: '', updatedAt: '' },
  },
  summary: 'scale Deployment shop/web from 2 to 5',
  diff: Array.from({ length: 6 }, (_, i) => `line ${i}`),
  needs: ['1 approval(s) by sre'],
  digest: `sha256:${'0'.repeat(64)}`,
  expiresAt: '2026-01-02T03:16:05Z',
}

const quiet: Status = {
  mediator: {
    value: {
      ...{ clusterUid: 'u', catalogueVersion: 'v', startedAt: '2026-01-01T00:00:00Z' },
      ...{ notReady: [], caches: [], waiting: { count: 3 }, held: 0 },
      rules: { loaded: true, problems: [] },
    },
  },
  oneOperator: { value: false },
  breakers: { value: [] },
  ledger: { unseen: 'not asked' },
  stops: { stops: [], unread: [] },
  enforcement: [{ policy: 'p', state: 'bound', why: '' }],
  waiting: { value: { count: 3, held: 0 } },
  windows: { value: [] },
}

describe('the verdict of status', () => {
  it('is fine while approvals wait: that is everyday', () => {
    assert.deepEqual(verdictOf(quiet, now), { verdict: 'fine', why: [] })
  })

  it('asks for a look at a stop, an overdue one, a held undo, a missing policy', () => {
    const stop = {
      ...{ scope: { by: 'label', namespace: 'shop' } as const, uid: 'u', vouched: false },
      ...{ sparesUndo: false, until: '2026-01-02T03:00:00Z' },
    }
    const stopped = verdictOf({ ...quiet, stops: { stops: [stop], unread: [] } }, now)
    assert.deepEqual(stopped.why, ['1 suspension(s) in force', '1 of them overdue'])
    for (const change of [
      { waiting: { value: { count: 0, held: 1 } } },
      { enforcement: [{ policy: 'p', state: 'missing', why: '' } as const] },
    ]) {
      assert.equal(verdictOf({ ...quiet, ...change }, now).verdict, 'attention')
    }
  })

  it('never says fine about what it could not see', () => {
    const away = { ...quiet, mediator: { unseen: 'away' } }
    assert.equal(verdictOf(away, now).verdict, 'unreachable')
    const blind = { ...quiet, stops: { stops: [], unread: ['Suspensions'] } }
    assert.equal(verdictOf(blind, now).verdict, 'unreachable')
  })
})

describe('the inbox', () => {
  it('says when it expires, a part of the diff, and what to type with the digest that was shown', () => {
    const lines = inboxLines(
      { waiting: { count: 9, items: [item] }, held: { count: 0, items: [] } },
      now,
    )
    const text = render(lines, false)
    assert.match(text, /expires in 12m/)
    assert.match(text, /line 3\n.*and 2 more: see why/)
    assert.match(text, new RegExp(`jackstay approve ${id} --digest ${item.digest} --reason`))
    assert.match(text, /and 8 more/)
  })

  it('lets no text through that moves or hides (T55)', () => {
    const bent = { ...item, summary: 'a\u001b[31m\u202eb', diff: ['[x](http://evil)\u200b\nnext'] }
    const text = render(
      inboxLines({ waiting: { count: 1, items: [bent] }, held: { count: 0, items: [] } }, now),
      false,
    )
    assert.doesNotMatch(text, /(?!\n)\p{Cc}|\p{Cf}/u)
    assert.match(text, /a\\u\{1b\}\[31m\\u\{202e\}b/)
  })
})

it('times are said from where one stands', () => {
  assert.equal(inTime('2026-01-02T03:06:05Z', now), 'in 2m')
  assert.equal(inTime('2026-01-02T01:04:05Z', now), '2h ago')
})

describe('commands of the line', () => {
  let api: Fake
  let mediator: Fake
  let desk: Desk
  before(async () => {
    api = await startFake()
    mediator = await startFake()
    desk = new Desk(api.origin, mediator.origin)
  })
  after(async () => {
    desk.clean()
    await Promise.all([api.stop(), mediator.stop()])
  })
  const windows = (items: readonly unknown[]) => ({
    status: 200,
    body: { kind: 'ChangeWindowList', metadata: { resourceVersion: '1' }, items },
  })
  beforeEach(() => {
    api.routes = tokenRoute
    mediator.routes = {
      'GET /v1/breakers': {
        status: 200,
        body: {
          breakers: [
            {
              ...{ scope: 'agent', key: 'a/b', class: 'sre', state: 'open', cause: 'flood' },
              ...{ openedAt: '2026-01-01T00:00:00Z', retryAt: '2026-01-01T00:05:00Z' },
              counts: { flood: 40, ended: 41 },
            },
          ],
        },
      },
    }
  })

  it('breakers are shown, wide with what was counted', async () => {
    assert.match((await desk.run(['breakers'])).out, /open +agent +a\/b +sre +flood/)
    assert.match((await desk.run(['breakers', '-o', 'wide'])).out, /flood 40, ended 41/)
    const yaml = await desk.run(['breakers', '-o', 'yaml'])
    assert.match(yaml.out, /^breakers:\n {2}- scope: agent\n/)
  })

  it('windows say whether they are open, when that changes, and what comes', async () => {
    const spec = {
      ...{ effect: 'allow', cron: '0 9 * * *', duration: '8h', timeZone: 'Europe/Berlin' },
      ...{ actions: ['*'], namespaces: ['*'] },
    }
    const path = 'GET /apis/jackstay.dev/v1alpha1/changewindows'
    const broken = { metadata: { name: 'broken' }, spec: { ...spec, effect: 'maybe' } }
    api.routes = { [path]: windows([{ metadata: { name: 'office' }, spec }, broken]) }
    const { windows: found } = JSON.parse(
      (await desk.run(['windows', '--preview', '7d', '-o', 'json'])).out,
    )
    assert.deepEqual(
      found.map(({ name }: { name: string }) => name),
      ['broken', 'office'],
    )
    assert.match(found[0].problem, /effect/)
    assert.ok(found[1].spans.length >= 7)
    assert.match(
      render(windowLines(found, Date.now(), false), false),
      /office +allow +(open|closed)/,
    )
    api.routes = {}
    const missing = await desk.run(['windows'])
    assert.equal(missing.exit, 4)
    assert.match(missing.err, /no kind ChangeWindow/)
  })

  it('windows show the two nights on which clocks change, when asked about them', async () => {
    const schedule = { cron: '30 2 * * *', duration: '1h', timeZone: 'Europe/Berlin' }
    const scope = { actions: ['*'], namespaces: ['*'] }
    const path = 'GET /apis/jackstay.dev/v1alpha1/changewindows'
    const named = (name: string) => ({
      metadata: { name },
      spec: { effect: name, ...schedule, ...scope },
    })
    api.routes = { [path]: windows([named('allow'), named('freeze')]) }
    const openings = async (at: string, night: string) => {
      const line = ['windows', '--at', at, '--preview', '3d', '-o', 'json']
      const { windows: found } = JSON.parse((await desk.run(line)).out)
      return found.map(({ spans }: { spans: { from: string }[] }) =>
        spans.map(({ from }) => from).filter((from) => from.startsWith(night)),
      )
    }
    // 02:30 does not exist: nothing is allowed, and the freeze begins as the clocks jump
    assert.deepEqual(await openings('2027-03-27', '2027-03-28'), [[], ['2027-03-28T01:00:00.000Z']])
    // 02:30 comes twice: allowed the first time, and frozen both times, which is one long freeze
    const autumn = ['2027-10-31T00:30:00.000Z']
    assert.deepEqual(await openings('2027-10-30', '2027-10-31'), [autumn, autumn])
    const { exit, err } = await desk.run(['windows', '--at', 'tomorrow'])
    assert.equal(exit, 2)
    assert.match(err, /write a date like/)
  })

  it('wide is refused where there is nothing wider, in words that say what else', async () => {
    const { exit, err } = await desk.run(['status', '-o', 'wide'])
    assert.equal(exit, 2)
    assert.match(err, /no wider form: leave `-o wide` out/)
    assert.match((await desk.run(['watch', '-o', 'yaml'])).err, /use -o json/)
  })
})

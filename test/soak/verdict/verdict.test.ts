import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Evidence, History, Stop } from './evidence.ts'
import {
  book,
  deployment,
  evidence,
  executor,
  history,
  intent,
  leaves,
  objectKey,
  startedAt,
  uid,
  undoWrite,
  write,
} from './evidence-builder.ts'
import { judge } from './verdict.ts'

function said(changed: Partial<Evidence>): string {
  const { violations } = judge(evidence(changed))
  return violations.map(({ promise, what }) => `${promise}: ${what}`).join('\n')
}

const without = (one: History, type: string): History => ({
  ...one,
  events: one.events.filter((event) => event.type !== type),
})

describe('the verdict of a soak', () => {
  it('finds nothing wrong with an intent that went as it should, and counts its effect', () => {
    const verdict = judge(evidence())
    assert.deepEqual(verdict.violations, [])
    assert.equal(verdict.effects, 1)
  })

  it('finds nothing wrong with an effect that was taken back', () => {
    const verdict = judge(
      evidence({
        histories: [history({ undone: true })],
        writes: [write(), undoWrite()],
        after: new Map([[objectKey, deployment(2)]]),
      }),
    )
    assert.deepEqual(verdict.violations, [])
    assert.equal(verdict.undos, 1)
  })

  describe('sees an effect without an intent', () => {
    it('made behind the mediator’s back, in the name of no intent (T79)', () => {
      const behind = write({
        auditId: 'b1',
        extra: { ...write().extra, 'jackstay.dev/intent': ['other'] },
      })
      assert.match(said({ writes: [write(), behind] }), /names no intent of the ledger/)
    })

    it('made in the name of an intent that never asked for it', () => {
      const body = { spec: { replicas: 7 }, metadata: { uid, resourceVersion: '5' } }
      assert.match(said({ writes: [write({ body })] }), /is none of the planned writes/)
    })

    it('by another class’s executor, for another agent, for another action', () => {
      assert.match(said({ writes: [write({ user: `${executor}x` })] }), /has the executor/)
      for (const key of ['jackstay.dev/agent', 'jackstay.dev/action']) {
        const extra = { ...write().extra, [key]: ['other'] }
        assert.match(said({ writes: [write({ extra })] }), /is of `|asked for `/)
      }
    })

    it('before its dispatch, or on what it was not bound to', () => {
      assert.match(said({ writes: [write({ endedAt: startedAt })] }), /was not dispatched before/)
      const body = { spec: { replicas: 0 }, metadata: { uid, resourceVersion: '4' } }
      assert.match(said({ writes: [write({ body })] }), /was never bound to/)
    })

    it('denied, or not approved by anybody, or for another digest (T54)', () => {
      const asking = history({ asks: true })
      assert.match(said({ histories: [asking] }), /nobody approved it/)
      const given = { intent, digest: 'sha256:1', verdict: 'approve' } as const
      assert.match(
        said({ histories: [asking], book: book({ verdicts: [given] }) }),
        /nobody approved/,
      )
      const digest = `sha256:${'0'.repeat(64)}`
      const right = book({ verdicts: [{ ...given, digest }] })
      assert.equal(said({ histories: [asking], book: right }), '')
    })

    it('of what had to be refused', () => {
      const forbidden = new Map([[intent, 'bad params']])
      assert.match(said({ book: book({ forbidden }) }), /bad params\) was dispatched/)
      assert.match(said({ book: book({ letIn: ['forged signature'] }) }), /forged signature/)
    })
  })

  describe('sees an intent with two effects (T46)', () => {
    it('by the audit log', () => {
      const again = write({ auditId: 'a9' })
      assert.match(said({ writes: [write(), again] }), /landed 2 times: a1, a9/)
    })

    it('by its own record', () => {
      const one = history()
      const written = one.events.filter(({ type }) => type === 'written')
      const twice = [...one.events.slice(0, 4), ...written, ...one.events.slice(4)]
      assert.match(said({ histories: [{ ...one, events: twice }] }), /on record 2 times/)
    })

    it('and an effect that only one of both knows of', () => {
      assert.match(said({ histories: [without(history(), 'written')] }), /is on record nowhere/)
      const after = new Map([[objectKey, deployment(2)]])
      assert.match(said({ writes: [], after }), /on record, and no write landed/)
      assert.match(said({ writes: [write({ auditId: 'a9' })] }), /on record as another request/)
    })
  })

  describe('knows what is no patch', () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', namespace: 'shop', name: 'p' }
    const eviction = { verb: 'evict', object: { ...pod, uid } }
    const evicted = write({
      ...{ verb: 'create', resource: 'pods', group: '', subresource: 'eviction', name: 'p' },
    })
    const still = new Map([[objectKey, deployment(2)]])

    it('an eviction that landed, once', () => {
      const one = { histories: [history({ does: eviction })], after: still }
      assert.equal(said({ ...one, writes: [evicted] }), '')
      assert.match(said({ ...one, writes: [evicted, { ...evicted, auditId: 'b' }] }), /2 times/)
      assert.match(said({ ...one, writes: [] }), /on record, and no write landed/)
    })

    it('a Pod that was found gone, whoever saw to it', () => {
      const one = { histories: [history({ does: eviction, settled: 'by_reading' })], after: still }
      assert.equal(said({ ...one, writes: [] }), '')
      assert.equal(said({ ...one, writes: [evicted] }), '')
    })

    it('an object that an executor made, and no other', () => {
      const object = { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs', namespace: 'shop' }
      const does = { verb: 'create', object: { ...object, name: 'r' }, body: {} }
      const made = { metadata: { uid: 'j' }, spec: { suspend: true } }
      const result = { ...made, metadata: { ...made.metadata, resourceVersion: '7' } }
      const create = write({
        ...{ verb: 'create', resource: 'jobs', group: 'batch', name: 'r', result },
      })
      const one = { histories: [history({ does })], writes: [create] }
      const there = new Map([...still, ['jobs.batch/shop/r', made]])
      assert.equal(said({ ...one, after: there }), '')
      assert.match(said({ ...one, after: still }), /shop\/r was deleted by nobody/)
      const changed = { ...made, spec: { suspend: false } }
      const others = new Map([...still, ['jobs.batch/shop/r', changed]])
      assert.match(said({ ...one, after: others }), /spec\/suspend is false/)
    })
  })

  describe('sees an intent', () => {
    it('that ends twice, goes on after its end, or never ends', () => {
      const one = history()
      const end = one.events.filter(({ type }) => type === 'ended')
      assert.match(
        said({ histories: [{ ...one, events: [...one.events, ...end] }] }),
        /ended 2 times/,
      )
      assert.match(said({ histories: [without(one, 'ended')] }), /ended 0 times/)
    })

    it('that was taken and is not on record', () => {
      assert.match(said({ book: book({ taken: new Set([intent, 'lost']) }) }), /`lost` was taken/)
    })
  })

  describe('sees a leaf', () => {
    it('that is missing from the log', () => {
      for (const index of [0, 1, 2]) {
        const fewer = leaves().filter((leaf) => leaf.index !== index)
        assert.match(said({ leaves: fewer }), new RegExp(`names leaf ${index} `))
      }
    })

    it('that no history names', () => {
      const more = [...leaves(), { index: 3, kind: 'dispatch', intent, seq: 4 }]
      assert.match(said({ leaves: more }), /leaf 3 \(dispatch\).*does not name it/)
    })

    it('that came after the write', () => {
      assert.match(said({ sightings: [{ intent, logSize: 1 }] }), /had 1 leaves and none for/)
    })

    it('that counts fewer refusals than there are', () => {
      const [authenticated, , , , , ended] = history().events
      assert.ok(authenticated && ended)
      const refused = { id: 'r', events: [authenticated, { ...ended, leafIndexes: [] }] }
      assert.match(said({ histories: [history(), refused] }), /are 1 more than leaves count/)
      const shared = { index: 3, kind: 'decision', refusals: 1 }
      assert.equal(said({ histories: [history(), refused], leaves: [...leaves(), shared] }), '')
    })
  })

  describe('sees what else changed', () => {
    it('in an object, by name and field', () => {
      const after = new Map([[objectKey, deployment(3)]])
      assert.match(said({ after }), /deployments.apps\/shop\/web differs: \/spec\/replicas is 3/)
    })

    it('and not what the server writes in another way', () => {
      const before = new Map([
        [objectKey, { ...deployment(2), spec: { replicas: 2, paused: false } }],
      ])
      assert.equal(said({ before }), '')
    })

    it('by an object that came or went', () => {
      const after = new Map([
        [objectKey, deployment(0)],
        ['secrets/shop/new', {}],
      ])
      assert.match(said({ after }), /secrets\/shop\/new was made by nobody/)
      assert.match(said({ after: new Map() }), /was deleted by nobody/)
    })

    it('and lets people change what they want, in the order in which it was stored', () => {
      const edit = write({
        ...{ auditId: 'p1', user: 'operator-1', extra: {}, body: { spec: { replicas: 5 } } },
        result: { metadata: { resourceVersion: '9' } },
      })
      const edits = new Map([['p1', { patch: { spec: { replicas: 5 } } }]])
      const known = book({ edits, deeds: new Set(['p1']) })
      const after = new Map([[objectKey, deployment(5)]])
      assert.equal(said({ writes: [edit, write()], book: known, after }), '')
      assert.match(said({ writes: [edit, write()], after }), /patch deployments .* by operator-1/)
    })

    it('and lets people delete an object and make it anew, which is another', () => {
      const by = { user: 'operator-1', extra: {} }
      const gone = write({ ...by, auditId: 'p1', verb: 'delete', result: {} })
      const made = write({
        ...{ ...by, auditId: 'p2', verb: 'create' },
        result: { metadata: { uid: 'new', resourceVersion: '8' }, spec: { replicas: 1 } },
      })
      const edits = new Map([['p2', 'made' as const]])
      const known = book({ edits, deeds: new Set(['p1', 'p2']) })
      const anew = { metadata: { uid: 'new' }, spec: { replicas: 1 } }
      const writes = [write(), gone, made]
      assert.equal(said({ writes, book: known, after: new Map([[objectKey, anew]]) }), '')
      assert.match(said({ writes, book: known }), /\/metadata\/uid is/)
    })

    it('by agents and by programs of ours beyond their rights', () => {
      const by = (user: string, changed = {}) =>
        said({ writes: [write(), write({ auditId: 'x', user, extra: {}, ...changed })] })
      const system = 'system:serviceaccount:jackstay-system:'
      assert.match(by('system:serviceaccount:jackstay-class-c:agent'), /nobody else changed/)
      assert.match(by(`${system}jackstay-mediator`), /nobody else changed/)
      assert.match(by(`${system}jackstay-registrar`, { resource: 'pods' }), /nobody else changed/)
      const own = { group: 'jackstay.dev', resource: 'intents', namespace: 'shop' }
      assert.equal(by(`${system}jackstay-mediator`, own), '')
    })
  })

  describe('sees a write after a stop stood (T73)', () => {
    const stop = (changed: Partial<Stop> = {}): Stop => ({
      ...{ name: 's', scope: 'class', of: 'c', undo: 'hold', from: startedAt - 10_000 },
      ...changed,
    })
    const scopes: readonly Partial<Stop>[] = [
      {},
      { scope: 'agent', of: 'jackstay-class-c/agent' },
      { scope: 'action', of: 'workload.scale' },
      { scope: 'target', of: 'Deployment shop/web' },
      { scope: 'namespace', of: 'shop' },
    ]
    for (const scope of scopes) {
      it(`of ${scope.scope ?? 'class'}`, () => {
        assert.match(said({ book: book({ stops: [stop(scope)] }) }), /wrote 10035 ms after s stood/)
        assert.equal(said({ book: book({ stops: [stop({ ...scope, of: 'other' })] }) }), '')
      })
    }

    it('and not one that came before it, after it, or within the grace, which is told', () => {
      const before = stop({ until: startedAt - 9_000 })
      assert.equal(said({ book: book({ stops: [before, stop({ from: startedAt + 36 })] }) }), '')
      const close = judge(evidence({ book: book({ stops: [stop({ from: startedAt })] }) }))
      assert.deepEqual([close.violations, close.latestAfterStopMs], [[], 35])
    })
  })
})

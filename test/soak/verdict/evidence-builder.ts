import type { EventData, EventType } from '@jackstay/contract/history'
import type { JsonMap } from '@jackstay/contract/json'
import type { AuditWrite } from '../witness/audit-event.ts'
import type { Book, Event, Evidence, History, LogLeaf } from './evidence.ts'

export const intent = '01900000-0000-7000-8000-000000000001'
export const uid = '22222222-2222-4222-8222-222222222222'
export const executor = 'system:serviceaccount:jackstay-executors:c'
export const objectKey = 'deployments.apps/shop/web'
const digest = `sha256:${'0'.repeat(64)}` as const
const object = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
  ...{ namespace: 'shop', name: 'web', uid },
}
const start = Date.parse('2026-01-01T00:00:00Z')
const at = (ms: number) => new Date(start + ms).toISOString()

/** An event of which only what the verdict reads is there. */
function event<T extends EventType>(
  seq: number,
  type: T,
  data: Partial<EventData<T>> | object,
  leafIndexes: readonly number[] = [],
): Event {
  return { seq, type, at: at(seq * 10), data, leafIndexes } as unknown as Event
}

export const requirement = { from: 'p/people', count: 1, groups: ['oncall'], expiresAfter: 60 }

interface HistoryOptions {
  readonly undone?: boolean
  readonly asks?: boolean
  /** Of its one write, what is otherwise. */
  readonly does?: object
  readonly settled?: 'by_answer' | 'by_reading'
}

/** An intent that scaled a Deployment down, and took it back where `undone`. */
export function history({
  undone = false,
  asks = false,
  does = {},
  settled = 'by_answer',
}: HistoryOptions = {}): History {
  const decision = { effect: 'allow', requirements: asks ? [requirement] : [] }
  const plan = {
    ...{ action: 'workload.scale', executor, target: object, reads: [] },
    writes: [
      {
        ...{ id: 'w1', verb: 'patch', object, body: { spec: { replicas: 0 } } },
        inverse: { body: { spec: { replicas: 2 } } },
        ...does,
      },
    ],
  }
  const bindings = (resourceVersion: string) => [{ write: 'w1', uid, resourceVersion }]
  const agent = { name: 'jackstay-class-c/agent', class: 'c' }
  const undo = [
    event(6, 'undoing', {}),
    event(7, 'undoDispatched', { attempt: 1, bindings: bindings('6') }),
    event(8, 'undone', { write: 'w1', attempt: 1, outcome: 'applied', auditId: 'a2' }),
  ]
  return {
    id: intent,
    events: [
      event(1, 'authenticated', { agent }),
      event(2, 'rehearsed', { plan, decision, digest }, [0]),
      event(3, 'dispatched', { decision, digest, bindings: bindings('5') }, [1]),
      event(4, 'written', {
        ...{ write: 'w1', attempt: 1, outcome: 'applied', settled },
        ...(settled === 'by_answer' && { auditId: 'a1' }),
      }),
      event(5, 'executed', {}),
      ...(undone ? undo : []),
      event(9, 'ended', { phase: undone ? 'rolled_back' : 'verified', reason: 'undone' }, [2]),
    ],
  }
}

export function leaves(): LogLeaf[] {
  return [
    { index: 0, kind: 'decision', intent, seq: 2 },
    { index: 1, kind: 'dispatch', intent, seq: 3 },
    { index: 2, kind: 'outcome', intent, seq: 9 },
  ]
}

/** The executor's write as the audit log tells it. */
export function write(changed: Partial<AuditWrite> = {}): AuditWrite {
  return {
    ...{ auditId: 'a1', user: executor, caller: 'mediator', verb: 'patch', code: 200 },
    ...{ resource: 'deployments', group: 'apps', subresource: '', namespace: 'shop', name: 'web' },
    ...{ receivedAt: start + 35, endedAt: start + 36 },
    extra: {
      'jackstay.dev/intent': [intent],
      'jackstay.dev/agent': ['jackstay-class-c/agent'],
      'jackstay.dev/action': ['workload.scale'],
    },
    body: { spec: { replicas: 0 }, metadata: { uid, resourceVersion: '5' } },
    result: { metadata: { resourceVersion: '6' } },
    ...changed,
  }
}

export function undoWrite(): AuditWrite {
  return write({
    ...{ auditId: 'a2', receivedAt: start + 75, endedAt: start + 76 },
    extra: { ...write().extra, 'jackstay.dev/phase': ['undo'] },
    body: { spec: { replicas: 2 }, metadata: { uid, resourceVersion: '6' } },
    result: { metadata: { resourceVersion: '7' } },
  })
}

export const startedAt = start

export function book(changed: Partial<Book> = {}): Book {
  return {
    ...{ deeds: new Set(), edits: new Map(), stops: [], verdicts: [] },
    ...{ taken: new Set([intent]), forbidden: new Map(), letIn: [] },
    ...changed,
  }
}

export function deployment(replicas: number, more: JsonMap = {}): JsonMap {
  return { metadata: { uid }, spec: { replicas }, ...more }
}

/** What is seen of one intent that went as it should. */
export function evidence(changed: Partial<Evidence> = {}): Evidence {
  return {
    writes: [write()],
    histories: [history()],
    leaves: leaves(),
    sightings: [{ intent, logSize: 2 }],
    book: book(),
    before: new Map([[objectKey, deployment(2)]]),
    after: new Map([[objectKey, deployment(0)]]),
    governed: new Set(['shop']),
    ...changed,
  }
}

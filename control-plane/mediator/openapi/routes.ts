import {
  breakerList,
  clusterInfo,
  intentList,
  intentView,
  triggerList,
} from '@jackstay/contract/api'
import { intentSubmission } from '@jackstay/contract/intent'
import { agentList, changeList, inbox, mediatorStatus } from '@jackstay/contract/people-api'
import { alertmanagerWebhook, manualTrigger, trigger } from '@jackstay/contract/trigger'
import { ledgerStatus } from '@jackstay/ledger/ledger-status'
import { z } from 'zod'
import { changesQuery, inboxQuery } from '../people/routes.ts'
import { listQuery, waitQuery } from '../reading/views.ts'
import { pollQuery } from '../triggers/trigger-routes.ts'

const health = z.strictObject({ status: z.literal('ok'), program: z.string() })
const readiness = z.strictObject({ ready: z.boolean(), reasons: z.array(z.string()) })
const accepted = z.strictObject({ accepted: z.int().min(0) })
const failure = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    retryAfterSeconds: z.int().optional(),
  }),
})

/** By the name under which the document has them. */
export const schemas = {
  ...{ IntentSubmission: intentSubmission, IntentView: intentView, IntentList: intentList },
  ...{ Trigger: trigger, TriggerList: triggerList, ManualTrigger: manualTrigger },
  ...{ AlertmanagerWebhook: alertmanagerWebhook, Accepted: accepted },
  ...{ ClusterInfo: clusterInfo, BreakerList: breakerList, AgentList: agentList },
  ...{ MediatorStatus: mediatorStatus, Inbox: inbox, ChangeList: changeList },
  ...{ LedgerStatus: ledgerStatus, Health: health, Readiness: readiness, Error: failure },
} as const satisfies Readonly<Record<string, z.ZodType>>
export type SchemaName = keyof typeof schemas

/** Whose token is asked for: an agent's, a person's for reading or for triggers, Alertmanager's. */
export type Credential = 'agent' | 'person' | 'triggerMaker' | 'alertmanager'

/** What a route answers: JSON of a named schema, or bytes of another type. */
export type Content = { readonly json: SchemaName } | { readonly type: string }

export interface Route {
  readonly method: 'get' | 'post'
  /** As OpenAPI writes it. */
  readonly path: string
  readonly summary: string
  /** Any of these; none for what everybody may ask. */
  readonly callers: readonly Credential[]
  readonly query?: z.ZodObject
  readonly body?: SchemaName
  readonly answers: Readonly<Record<number, Content>>
}

const json = (name: SchemaName): Content => ({ json: name })
const text: Content = { type: 'text/plain' }
const get = (
  path: string,
  summary: string,
  callers: readonly Credential[],
  answer: Content,
  query?: z.ZodObject,
): Route => ({
  method: 'get',
  path,
  summary,
  callers,
  answers: { 200: answer },
  ...(query && { query }),
})

const readers = ['agent', 'person'] as const

/** Every route of the mediator; a test holds this to the app. */
export const routes: readonly Route[] = [
  {
    ...{ method: 'post', path: '/v1/intents', summary: 'submit a signed intent' },
    ...{ callers: ['agent'], query: waitQuery, body: 'IntentSubmission' },
    answers: { 200: json('IntentView'), 202: json('IntentView') },
  },
  get('/v1/intents', 'intents, the newest first', readers, json('IntentList'), listQuery),
  get('/v1/intents/{id}', 'one intent with its events', readers, json('IntentView'), waitQuery),
  get('/v1/triggers', 'what waits for the class', ['agent'], json('TriggerList'), pollQuery),
  {
    ...{ method: 'post', path: '/v1/triggers', summary: 'say that something happened' },
    ...{ callers: ['triggerMaker'], body: 'ManualTrigger', answers: { 201: json('Trigger') } },
  },
  {
    ...{ method: 'post', path: '/v1/triggers/{id}/resolved', summary: 'say that it is over' },
    ...{ callers: ['triggerMaker'], answers: { 200: json('Trigger') } },
  },
  {
    ...{ method: 'post', path: '/v1/alerts/alertmanager', summary: "Alertmanager's webhook" },
    ...{ callers: ['alertmanager'], body: 'AlertmanagerWebhook' },
    answers: { 202: json('Accepted') },
  },
  get('/v1/cluster', 'what a signer has to know', readers, json('ClusterInfo')),
  get('/v1/breakers', 'breakers that are not at rest', readers, json('BreakerList')),
  get('/v1/status', 'how the mediator stands', ['person'], json('MediatorStatus')),
  get('/v1/inbox', 'what waits for people', ['person'], json('Inbox'), inboxQuery),
  get('/v1/changes', 'what changed after a cursor', ['person'], json('ChangeList'), changesQuery),
  get('/v1/agents', 'every enrolled key with its Pod', ['person'], json('AgentList')),
  get('/ledger/vkey', "the log's verifier key", ['person'], text),
  get('/ledger/checkpoint', 'the newest checkpoint', ['person'], text),
  get('/ledger/witnessed', 'the newest cosigned checkpoint', ['person'], text),
  get('/ledger/status', 'what is kept outside', ['person'], json('LedgerStatus')),
  get('/ledger/tile/{path}', 'a tile of the log, or its entries; `path` has slashes', ['person'], {
    type: 'application/octet-stream',
  }),
  get('/healthz', 'whether it runs', [], json('Health')),
  {
    ...{ method: 'get', path: '/readyz', summary: 'whether it serves', callers: [] },
    answers: { 200: json('Readiness'), 503: json('Readiness') },
  },
  get('/metrics', 'metrics for Prometheus', [], text),
  get('/openapi.json', 'this document', [], { type: 'application/json' }),
]

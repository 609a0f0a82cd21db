import { canonical, isMap, type Json, type JsonMap } from '@jackstay/contract/json'
import { executorsNamespace } from '@jackstay/contract/namespaces'
import type { Plan, PlannedWrite } from '@jackstay/contract/plan'
import { type AuditWrite, succeeded } from '../witness/audit-event.ts'
import { eventsOf, type History, type Violation } from './evidence.ts'

const promise = 'every write of an executor has one allowed intent'
const executorPrefix = `system:serviceaccount:${executorsNamespace}:`

/** An executor's write with the place in an intent's plan that it carries out. */
export interface Explained {
  readonly write: AuditWrite
  readonly intent: string
  readonly planned: PlannedWrite
  readonly undo: boolean
}

/** The class whose executor somebody is. */
export function executorClass(user: string): string | undefined {
  return user.startsWith(executorPrefix) ? user.slice(executorPrefix.length) : undefined
}

export function planOf(history: History): Plan | undefined {
  return eventsOf(history, 'rehearsed').at(-1)?.data.plan
}

/** Finds each executor's write in the plan of the intent it names, or says why it is not there. */
export function explain(
  writes: readonly AuditWrite[],
  histories: readonly History[],
): { readonly explained: readonly Explained[]; readonly violations: readonly Violation[] } {
  const byId = new Map(histories.map((history) => [history.id, history]))
  const explained: Explained[] = []
  const violations: Violation[] = []
  for (const write of writes) {
    if (executorClass(write.user) === undefined || !succeeded(write)) continue
    const found = explainOne(write, byId)
    if (typeof found === 'string') {
      violations.push({ promise, what: `${describe(write)}: ${found}` })
    } else explained.push(found)
  }
  return { explained, violations }
}

export function describe(write: AuditWrite): string {
  const { verb, resource, subresource, namespace, name, user, auditId } = write
  const what = subresource === '' ? resource : `${resource}/${subresource}`
  return `${verb} ${what} ${namespace}/${name} by ${user} (audit ${auditId})`
}

function explainOne(write: AuditWrite, byId: ReadonlyMap<string, History>): Explained | string {
  const only = (key: string) => {
    const values = write.extra[`jackstay.dev/${key}`] ?? []
    return values.length === 1 ? values[0] : undefined
  }
  const id = only('intent')
  const history = byId.get(id ?? '')
  if (id === undefined || history === undefined) return 'names no intent of the ledger'
  const plan = planOf(history)
  const [authenticated] = eventsOf(history, 'authenticated')
  if (plan === undefined || authenticated === undefined) return `\`${id}\` was never planned`
  if (plan.executor !== write.user) return `\`${id}\` has the executor \`${plan.executor}\``
  if (only('action') !== plan.action) return `\`${id}\` asked for \`${plan.action}\``
  const { name } = authenticated.data.agent
  if (only('agent') !== name) return `\`${id}\` is of \`${name}\``
  const undo = write.extra['jackstay.dev/phase'] !== undefined
  const planned = plan.writes.find((one) => isMeant(one, write, undo))
  if (planned === undefined) return `is none of the planned writes of \`${id}\``
  return bound(history, write, planned, undo) ?? { write, intent: id, planned, undo }
}

function isMeant(planned: PlannedWrite, write: AuditWrite, undo: boolean): boolean {
  const { resource, apiVersion, namespace = '', name } = planned.object
  const [group = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['']
  // a creation and an eviction name the object elsewhere than a patch does
  const sameObject =
    write.resource === resource && write.namespace === namespace && write.name === name
  if (!sameObject || (planned.verb !== 'evict' && write.group !== group)) return false
  switch (planned.verb) {
    case 'patch': {
      const body = undo ? planned.inverse.body : planned.body
      return write.verb === 'patch' && sameBody(write.body, body)
    }
    case 'evict':
      return !undo && write.verb === 'create' && write.subresource === 'eviction'
    case 'create':
      return undo
        ? write.verb === 'patch' && sameBody(write.body, planned.inverse.body)
        : write.verb === 'create'
  }
}

/** The patch as sent, without what dispatch bound it to, is the planned one. */
function sameBody(sent: unknown, planned: Json): boolean {
  if (!isJsonMap(sent)) return false
  return canonical(unbound(sent)) === canonical(isJsonMap(planned) ? unbound(planned) : planned)
}

function unbound(body: JsonMap): JsonMap {
  const { metadata, ...rest } = body
  if (!isMap(metadata)) return rest
  const { uid: _, resourceVersion: __, ...others } = metadata
  return Object.keys(others).length === 0 ? rest : { ...rest, metadata: others }
}

function isJsonMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Why the write is none that was dispatched, undefined where it was. */
function bound(
  history: History,
  write: AuditWrite,
  planned: PlannedWrite,
  undo: boolean,
): string | undefined {
  const dispatches = eventsOf(history, undo ? 'undoDispatched' : 'dispatched')
  const earlier = dispatches.filter(({ at }) => Date.parse(at) <= write.endedAt)
  if (earlier.length === 0) return `\`${history.id}\` was not dispatched before`
  if (planned.verb !== 'patch') return undefined
  const metadata = isJsonMap(write.body) && isMap(write.body.metadata) ? write.body.metadata : {}
  const matches = earlier.some(({ data }) =>
    data.bindings.some(
      ({ write: of, uid, resourceVersion }) =>
        of === planned.id && uid === metadata.uid && resourceVersion === metadata.resourceVersion,
    ),
  )
  return matches ? undefined : `\`${history.id}\` was never bound to that uid and resourceVersion`
}

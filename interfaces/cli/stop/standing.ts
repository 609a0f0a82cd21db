import { groupVersion, objectOf } from '@jackstay/contract/kinds/kind'
import { suspendedLabel, suspendedNotes, suspension } from '@jackstay/contract/kinds/suspension'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { type KubeClient, statusOf } from '@jackstay/kube/client'
import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { age } from '../intents.ts'
import { type Line, styled, typed } from '../screen.ts'
import { describeScope, flagOf, type Scope, subjectOf } from './scope.ts'

/** One stop in force, as the API server shows it. */
export interface Stop {
  readonly scope: Scope
  /** Name of the Suspension; a label has none. */
  readonly name?: string
  readonly uid: string
  readonly since?: string
  /** The API server's word for a Suspension; for a label what somebody wrote beside it. */
  readonly by?: string
  readonly vouched: boolean
  readonly reason?: string
  /** When it was meant to end. Nothing lifts it. */
  readonly until?: string
  /** Takes no undo along. */
  readonly sparesUndo: boolean
}

export interface Standing {
  readonly stops: readonly Stop[]
  /** What could not be read, in words: then there may be more. */
  readonly unread: readonly string[]
}

export const suspensionResource = { apiVersion: groupVersion, resource: suspension.plural }
export const namespaceResource = { apiVersion: 'v1', resource: 'namespaces' }

/** Every stop in force, read as the user, with nothing of ours but the kind. */
export async function standing(client: KubeClient, signal: AbortSignal): Promise<Standing> {
  const labels = { labelSelector: suspendedLabel, signal }
  const [byLabel, byKind] = await Promise.all([
    client.list(namespaceResource, labels).then(
      ({ items }) => ({ stops: items.map(labelStop), unread: [] }),
      (error: unknown) => ({ stops: [], unread: [unreadable('labels of namespaces', error)] }),
    ),
    client.list(suspensionResource, { signal }).then(
      ({ items }) => read(items),
      (error: unknown) => ({ stops: [], unread: [unreadable('Suspensions', error)] }),
    ),
  ])
  const stops = [...byLabel.stops, ...byKind.stops]
  return { stops: stops.toSorted(byWeight), unread: [...byLabel.unread, ...byKind.unread] }
}

function unreadable(what: string, error: unknown): string {
  const status = statusOf(error)
  if (status?.code === 403) return `you may not list ${what}`
  if (status?.code === 404) return `this API server has no ${what}`
  return `${what}: ${error instanceof Error ? error.message : String(error)}`
}

/** Everything first, then namespaces, then the rest. */
function byWeight(a: Stop, b: Stop): number {
  const weight = ({ scope }: Stop) =>
    scope.by === 'kind' ? 2 : scope.namespace === systemNamespace ? 0 : 1
  return weight(a) - weight(b) || describeScope(a.scope).localeCompare(describeScope(b.scope))
}

export function labelStop({ metadata }: KubeObject): Stop {
  const { name = '', uid = '', annotations = {} } = metadata
  const { [suspendedNotes.by]: by, [suspendedNotes.reason]: reason } = annotations
  const until = annotations[suspendedNotes.until]
  const since = metadata.managedFields?.find(({ fieldsV1 }) => setsLabel(fieldsV1))?.time
  return {
    scope: { by: 'label', namespace: name },
    ...{ uid, vouched: false, sparesUndo: false },
    ...(since !== undefined && { since }),
    ...(by !== undefined && { by }),
    ...(reason !== undefined && { reason }),
    ...(until !== undefined && { until }),
  }
}

/** The API server keeps who last set a field, and when. */
function setsLabel(fields: unknown): boolean {
  if (!isRecord(fields) || !isRecord(fields['f:metadata'])) return false
  const labels = fields['f:metadata']['f:labels']
  return isRecord(labels) && Object.hasOwn(labels, `f:${suspendedLabel}`)
}

function read(items: readonly KubeObject[]): Standing {
  const found = items.map((item) => ({ item, stop: suspensionStop(item) }))
  return {
    stops: found.flatMap(({ stop }) => (stop === undefined ? [] : [stop])),
    unread: found
      .filter(({ stop }) => stop === undefined)
      .map(({ item }) => `the Suspension \`${item.metadata.name}\` has a form unknown here`),
  }
}

export function suspensionStop(object: KubeObject): Stop | undefined {
  const parsed = objectOf(suspension).safeParse(object)
  if (!parsed.success) return undefined
  const { metadata, spec } = parsed.data
  const { name, uid, creationTimestamp: since } = metadata
  const { madeBy: by, reason, until, undo } = spec
  return {
    scope: { by: 'kind', subject: subjectOf(spec) },
    ...{ name, uid, reason, vouched: true, sparesUndo: undo === 'allow' },
    ...(since !== undefined && { since }),
    ...(by !== undefined && { by }),
    ...(until !== undefined && { until }),
  }
}

export function isOverdue({ until }: Stop, now: number): boolean {
  return until !== undefined && Date.parse(until) <= now
}

/** Two lines for each: what and since when, who and why. */
export function stopLines(stops: readonly Stop[], now: number): Line[] {
  return stops.flatMap((stop): Line[] => {
    const { since, name, reason, sparesUndo } = stop
    const when = since === undefined ? '' : `, since ${since} (${age(since, now)})`
    const spared = sparesUndo ? ', undos go on' : ''
    const what = name === undefined ? '' : ` [${name}]`
    return [
      [styled('red', 'stopped'), ` ${describeScope(stop.scope)}${when}${spared}${what}`],
      [styled('dim', `  ${who(stop)}: ${reason ?? 'no reason written'}`)],
      ...(stop.until === undefined ? [] : [untilLine(stop, stop.until, now)]),
    ]
  })
}

function who({ by, vouched }: Stop): string {
  if (by === undefined) return 'by somebody'
  return vouched ? `by ${by}` : `by ${by}, in their own words`
}

function untilLine(stop: Stop, until: string, now: number): Line {
  if (!isOverdue(stop, now)) return [styled('dim', `  meant until ${until}; nothing lifts it then`)]
  const lift = `jackstay resume ${flagOf(stop.scope)}`
  return [typed(`  overdue since ${until}: ${lift}`, 'yellow')]
}

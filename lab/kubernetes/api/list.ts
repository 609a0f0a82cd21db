import { collectionOf } from '../resources/registry.ts'
import { sortKeyOf } from '../store/change.ts'
import type { ObjectStore } from '../store/store.ts'
import type { Call } from './call.ts'
import { selection } from './selectors.ts'
import { shapedList } from './shape.ts'
import { type ApiError, badRequest, expired, refusal } from './status.ts'

/** Where a list goes on: the revision it shows, and the last object of the page before. */
interface Mark {
  readonly rv: number
  readonly start: string
}

/** One page of a collection. @throws ApiError 400, 410 */
export function list(call: Call, store: ObjectStore, now: number): object {
  const { resource, query, info, shape } = call
  const collection = collectionOf(resource)
  const namespace = resource.namespaced && info.namespace !== '' ? info.namespace : undefined
  const selects = selection(collection, query)
  const mark = markOf(query.get('continue'))
  const revision = mark?.rv ?? exactRevision(query) ?? store.revision
  const all = store.listAt(collection, namespace, revision)
  if (all === undefined) throw gone(revision, store, mark !== undefined)
  const rest = mark === undefined ? all : all.filter((object) => sortKeyOf(object) > mark.start)
  const chosen = rest.filter(selects)
  const limit = Number(query.get('limit') ?? 0)
  const page = limit > 0 ? chosen.slice(0, limit) : chosen
  const last = page.at(-1)
  const left = chosen.length - page.length
  const selected = query.get('labelSelector') || query.get('fieldSelector')
  const metadata = {
    resourceVersion: String(revision),
    ...(last && left > 0 && { continue: written({ rv: revision, start: sortKeyOf(last) }) }),
    ...(left > 0 && !selected && { remainingItemCount: left }),
  }
  return shapedList(shape, resource, page, metadata, now)
}

/** Only a demand for exactly one revision is looked up; at least one is always the newest here. */
function exactRevision(query: URLSearchParams): number | undefined {
  const asked = query.get('resourceVersion') ?? ''
  if (query.get('resourceVersionMatch') !== 'Exact' || asked === '' || asked === '0')
    return undefined
  return revisionOf(asked)
}

/** @throws ApiError 400 */
export function revisionOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
  )
}

function gone(revision: number, store: ObjectStore, continued: boolean): ApiError {
  if (revision > store.revision) {
    return refusal(
      504,
      'Timeout',
      `Too large resource version: ${revision}, current: ${store.revision}`,
    )
  }
  if (!continued) return expired(revision, store.revision)
  return refusal(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
  )
}

function written(mark: Mark): string {
  return Buffer.from(JSON.stringify(mark)).toString('base64url')
}

function markOf(text: string | null): Mark | undefined {
  if (text === null || text === '') return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null && 'rv' in value && 'start' in value) {
      const { rv, start } = value
      if (typeof rv === 'number' && typeof start === 'string') return { rv, start }
    }
  } catch {
    // said below
  }
  throw badRequest('continue key is not valid')
}

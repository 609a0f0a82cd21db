import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '@jackstay/kube/client'

/** One request to an API server. */
export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
  /** Parts of the answer that are nobody's promise, such as what a controller wrote meanwhile. */
  readonly without?: readonly string[]
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A request that may rest on what came before it, such as a revision. */
export type Step = Exchange | ((before: readonly Answer[]) => Exchange)

/** What is done in order, in namespaces that are there and empty before. */
export interface Case {
  readonly name: string
  readonly namespaces: readonly string[]
  readonly steps: readonly Step[]
}

/** The same as it is recorded: what differs by nature is named, not shown. */
export interface Recorded {
  readonly request: string
  readonly status: number
  readonly body: unknown
}

/** Makes the namespaces, asks everything in order and takes the namespaces away again. */
export async function play({ namespaces, steps }: Case, client: KubeClient): Promise<Recorded[]> {
  const known = new Names()
  const answers: Answer[] = []
  const recorded: Recorded[] = []
  const path = '/api/v1/namespaces'
  for (const name of namespaces) {
    await demand(client, { method: 'POST', path, body: { metadata: { name } } })
  }
  try {
    for (const step of steps) {
      const exchange = typeof step === 'function' ? step(answers) : step
      const answer = await ask(client, exchange)
      answers.push(answer)
      const request = `${exchange.method} ${known.inText(exchange.path)}`
      const body = known.of(without(answer.body, exchange.without ?? []))
      recorded.push({ request, status: answer.status, body })
    }
    return recorded
  } finally {
    for (const name of namespaces) await ask(client, { method: 'DELETE', path: `${path}/${name}` })
  }
}

async function ask(client: KubeClient, exchange: Exchange): Promise<Answer> {
  const { without: _, ...request } = exchange
  const path = writtenBy(exchange)
  const { status, body } = await client.request({ ...request, path })
  return { status, body }
}

/** Fields have the same owner, whatever the client calls itself. */
function writtenBy({ method, path, contentType = '' }: Exchange): string {
  const unsaid = method === 'POST' || method === 'PUT' || method === 'PATCH'
  if (!unsaid || path.includes('fieldManager=') || contentType.includes('apply')) return path
  return `${path}${path.includes('?') ? '&' : '?'}fieldManager=conformance`
}

async function demand(client: KubeClient, exchange: Exchange): Promise<void> {
  const until = performance.now() + 60_000
  for (;;) {
    const { status, body } = await ask(client, exchange)
    if (status < 300) return
    // of an earlier run, and on its way out
    const isTaken = status === 409 && performance.now() < until
    if (!isTaken) throw new Error(`${exchange.method} ${exchange.path}: ${JSON.stringify(body)}`)
    await sleep(250)
  }
}

function without(value: unknown, paths: readonly string[]): unknown {
  const copy: unknown = structuredClone(value)
  for (const path of paths) {
    const parts = path.split('.')
    const last = parts.pop() ?? ''
    let at = copy
    for (const part of parts) at = isMap(at) ? at[part] : undefined
    if (isMap(at)) delete at[last]
  }
  return copy
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
const ages = new Set(['0s', '1s', '2s', '3s', '4s', '5s', '6s', '7s', '8s', '9s'])

function byManager(a: unknown, b: unknown): number {
  const [one, other] = [a, b].map((entry) =>
    JSON.stringify(isMap(entry) ? [entry.manager, entry] : entry),
  )
  return (one ?? '') < (other ?? '') ? -1 : 1
}

/** Stands for each uid by its number; revisions and times by the word alone. */
class Names {
  readonly #uids = new Map<string, string>()

  of(value: unknown, key = ''): unknown {
    if (Array.isArray(value)) {
      const items = value.map((item) => this.of(item))
      // they stand in the order of their times, and two writes may fall into one second
      return key === 'managedFields' ? items.sort(byManager) : items
    }
    if (isMap(value)) {
      // what a column means is said in words of one's own
      const isColumn = 'priority' in value
      const entries = Object.entries(value).filter(([name]) => !isColumn || name !== 'description')
      const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1))
      return Object.fromEntries(sorted.map(([name, item]) => [name, this.of(item, name)]))
    }
    if (typeof value !== 'string') return value
    if (key === 'resourceVersion' && value !== '') return '<revision>'
    if (key === 'continue' && value !== '') return '<token>'
    if (time.test(value)) return '<time>'
    if (ages.has(value)) return '<age>'
    return this.inText(value)
  }

  inText(text: string): string {
    const timeless = text.replace(/(in record) \(\d+\)/, '$1 (<revision>)')
    return timeless.replace(uid, (found) => {
      const known = this.#uids.get(found) ?? `<uid ${this.#uids.size + 1}>`
      this.#uids.set(found, known)
      return known
    })
  }
}

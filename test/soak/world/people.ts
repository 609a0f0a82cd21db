import { setTimeout as sleep } from 'node:timers/promises'
import { suspendedLabel } from '@jackstay/contract/kinds/suspension'
import type { Edit, Step, Wish } from '../schedule/steps.ts'
import type { Stop } from '../verdict/evidence.ts'
import type { BookKeeper } from './book-keeper.ts'
import type { Ground, Party } from './ground.ts'
import { pathOf, targetOf } from './wishes.ts'

const group = '/apis/jackstay.dev/v1alpha1'
type StopStep = Extract<Step, { do: 'stop' }>

/** People who stop agents, change rules, and change things by hand; each deed is in the book. */
export class People {
  readonly #ground: Ground
  readonly #book: BookKeeper
  readonly #standing = new Set<() => Promise<void>>()
  /** Whose rules hold one that only changes. */
  readonly #noisy = new Set<string>()
  #count = 0

  constructor(ground: Ground, book: BookKeeper) {
    this.#ground = ground
    this.#book = book
  }

  async edit(party: Party, wish: Wish, edit: Edit): Promise<void> {
    const { operator } = this.#ground
    const target = targetOf(party, { ...wish, ...('replicas' in edit && web(wish)) })
    if ('again' in edit) return await this.#book.replace(operator, pathOf(target))
    const body =
      'replicas' in edit
        ? { spec: { replicas: edit.replicas } }
        : 'label' in edit
          ? { metadata: { labels: { 'example.org/by-hand': edit.label } } }
          : { metadata: { annotations: { 'example.org/by-hand': edit.annotation } } }
    await this.#book.patch(operator, pathOf(target), body)
  }

  /** Rules that mean the same and read differently: what waits for people is void by that. */
  async changeRules(party: Party, revision: number): Promise<void> {
    const value = { name: 'noise', deny: { when: `class.name == "none-${revision}"` } }
    const op = this.#noisy.has(party.name) ? 'replace' : 'add'
    this.#noisy.add(party.name)
    await this.#book.deed(this.#ground.operator, {
      ...{ method: 'PATCH', path: `${group}/actionpolicies/${party.class}` },
      contentType: 'application/json-patch+json',
      body: [{ op, path: `/spec/rules/${party.name === 'asking' ? 2 : 1}`, value }],
    })
  }

  /** Makes a stop, and lifts it after its time, or when all stops are lifted. */
  async stop(party: Party, step: StopStep, signal: AbortSignal): Promise<void> {
    const number = ++this.#count
    const lift =
      step.scope === 'namespace'
        ? await this.#label(party)
        : await this.#suspend(party, step, number)
    if (lift === undefined) return
    let lifted: Promise<void> | undefined
    const once = () => {
      lifted ??= lift()
      return lifted
    }
    this.#standing.add(once)
    await sleep(step.forMs, undefined, { signal }).catch(() => undefined)
    await once()
    this.#standing.delete(once)
  }

  async liftAll(): Promise<void> {
    await Promise.all([...this.#standing].map((lift) => lift()))
  }

  async #suspend(party: Party, step: StopStep, number: number) {
    const { kind, namespace, name } = targetOf(party, step.wish)
    const { action } = step.wish
    const agent = `${party.namespace}/agent`
    const scopes = {
      class: { spec: { class: party.class }, of: party.class },
      agent: { spec: { agent }, of: agent },
      action: { spec: { action }, of: action },
      target: { spec: { target: { kind, namespace, name } }, of: `${kind} ${namespace}/${name}` },
    }
    const { scope, undo } = step
    if (scope === 'namespace') return
    const { spec, of } = scopes[scope]
    const metadata = { name: `soak-${party.class}-${number}` }
    const path = `${group}/suspensions`
    const { operator } = this.#ground
    const { status, body } = await this.#book.deed(operator, {
      ...{ method: 'POST', path },
      body: {
        ...{ apiVersion: 'jackstay.dev/v1alpha1', kind: 'Suspension', metadata },
        spec: { ...spec, undo, reason: 'the soak stops it' },
      },
    })
    if (status >= 300) throw new Error(`no Suspension: ${status} ${JSON.stringify(body)}`)
    return this.#stood({ name: metadata.name, scope, of, undo, from: Date.now() }, async () => {
      await this.#book.deed(operator, { method: 'DELETE', path: `${path}/${metadata.name}` })
    })
  }

  async #label({ targets }: Party) {
    const path = `/api/v1/namespaces/${targets}`
    const set = async (value: string | null) => {
      const body = { metadata: { labels: { [suspendedLabel]: value } } }
      const contentType = 'application/merge-patch+json'
      await this.#book.deed(this.#ground.operator, { method: 'PATCH', path, body, contentType })
    }
    await set('')
    const stop: Stop = {
      ...{ name: `the label on ${targets}`, scope: 'namespace', of: targets, undo: 'hold' },
      from: Date.now(),
    }
    return this.#stood(stop, () => set(null))
  }

  #stood(stop: Stop, lift: () => Promise<void>): () => Promise<void> {
    const at = this.#book.stops.push(stop) - 1
    return async () => {
      this.#book.stops[at] = { ...stop, until: Date.now() }
      await lift()
    }
  }
}

function web({ name, kind }: Wish): Pick<Wish, 'kind' | 'name'> {
  return { kind: 'Deployment', name: kind === 'Deployment' ? name : 'web-0' }
}

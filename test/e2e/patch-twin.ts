import assert from 'node:assert/strict'
import type { KubeClient } from '@jackstay/kube/client'
import { asObject, isRecord, type KubeObject } from '@jackstay/kube/resources'
import { applyConfiguration } from '@jackstay/lab/kubernetes/patch/apply'
import { applyJsonPatch } from '@jackstay/lab/kubernetes/patch/json-patch'
import {
  managedFieldsAfter,
  withManagedFields,
} from '@jackstay/lab/kubernetes/patch/managed-fields'
import { applyMergePatch } from '@jackstay/lab/kubernetes/patch/merge-patch'
import { PatchRefusal } from '@jackstay/lab/kubernetes/patch/refusal'
import { type KindOfFields, resetFields } from '@jackstay/lab/kubernetes/patch/reset-fields'
import { asHeld, type Shape } from '@jackstay/lab/kubernetes/patch/shapes'
import {
  applyStrategicMergePatch,
  noStrategicMergePatch,
} from '@jackstay/lab/kubernetes/patch/strategic'
import { type Answer, attempt, passed, until } from './attempt.ts'
import { withDefaults } from './patch-defaults.ts'

type Writing = 'apply' | 'json' | 'merge' | 'strategic' | 'update'

/** One write, asked of both servers. */
export interface Step {
  readonly what: string
  readonly how: Writing
  readonly manager: string
  /** A patch, a configuration, or for `update` a merge patch of what is put back. */
  readonly body: unknown
  readonly force?: boolean
  readonly subresource?: 'status'
}

/** What a server makes of a step, as far as it does not depend on when it is asked. */
interface Outcome {
  readonly code: number
  readonly object?: unknown
  readonly reason?: unknown
  readonly message?: unknown
  readonly causes?: unknown
}

interface Rehearsal {
  readonly before: KubeObject | undefined
  readonly real: Outcome
  /** When the real server wrote. */
  readonly time: string
}

const mediaTypes: Readonly<Record<Writing, string>> = {
  apply: 'application/apply-patch+yaml',
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  update: 'application/json',
}

/** An object of a real server, and what the lab's functions make of it. */
export class Twin {
  readonly #admin: KubeClient
  readonly #path: string
  readonly #shape: Shape
  readonly #kind: KindOfFields

  constructor(admin: KubeClient, path: string, shape: Shape, kind: KindOfFields) {
    this.#admin = admin
    this.#path = path
    this.#shape = shape
    this.#kind = kind
  }

  async live(): Promise<KubeObject | undefined> {
    const answer = await attempt(this.#admin, 'GET', this.#path)
    if (answer.status === 404) return undefined
    passed(answer)
    return asObject(answer.body)
  }

  /** Asks both servers, compares their answers, and lets the real one do it. */
  async take(step: Step): Promise<void> {
    const { before, real, time } = await this.#rehearse(step)
    assert.deepEqual(this.#ofLab(before, step, time), real, step.what)
    if (real.code >= 300) return
    await until(`${step.what} is done`, async () => {
      const answer = await this.#ask(step, await this.live(), false)
      // a controller came between: the object has moved, and nothing else is wrong
      if (answer.status === 409) return false
      passed(answer)
      return true
    })
  }

  /** A dry run between two looks at an object that nobody moved between them: controllers write too. */
  async #rehearse(step: Step): Promise<Rehearsal> {
    for (let left = 50; left > 0; left--) {
      const before = await this.live()
      const answer = await this.#ask(step, before, true)
      const after = await this.live()
      if (after?.metadata.resourceVersion === before?.metadata.resourceVersion) {
        return { before, real: outcomeOf(answer), time: newestTime(answer.body) }
      }
    }
    throw new Error(`${this.#path} never rests`)
  }

  async #ask(step: Step, before: KubeObject | undefined, dryRun: boolean): Promise<Answer> {
    const { how, manager, body, force = false, subresource } = step
    const path = subresource === undefined ? this.#path : `${this.#path}/${subresource}`
    const query = { fieldManager: manager, ...(force && { force: 'true' }) }
    const options = { dryRun, query, contentType: mediaTypes[how] }
    const { metadata } = before ?? {}
    if (how !== 'update') return await attempt(this.#admin, 'PATCH', path, body, options)
    const put = { ...applyMergePatch(before ?? {}, body), kind: this.#kind.kind }
    if (metadata !== undefined) return await attempt(this.#admin, 'PUT', path, put, options)
    const collection = path.slice(0, path.lastIndexOf('/'))
    return await attempt(this.#admin, 'POST', collection, put, options)
  }

  #ofLab(before: KubeObject | undefined, step: Step, time: string): Outcome {
    try {
      const code = before === undefined ? 201 : 200
      return { code, object: comparable(this.#written(before, step, time)) }
    } catch (error) {
      if (!(error instanceof PatchRefusal)) throw error
      const { code, reason, message, causes } = error
      return { code, reason, message, causes: inOrder(causes) }
    }
  }

  #written(before: KubeObject | undefined, step: Step, time: string): KubeObject {
    const { how, manager, body, force = false, subresource = '' } = step
    const { apiVersion, kind } = this.#kind
    const write = {
      ...{ manager, apiVersion, subresource, time, shape: this.#shape },
      reset: resetFields(this.#kind, subresource),
    }
    if (how === 'apply') {
      const applied = applyConfiguration(before, asObject(body), { ...write, kind, force })
      return stored(before, withDefaults(applied), subresource)
    }
    const given = before ?? asObject({ metadata: {} })
    const patched = withDefaults(asObject(asHeld(this.#patched(given, how, body), this.#shape)))
    const managed = managedFieldsAfter(before, patched, write)
    return stored(before, withManagedFields(patched, managed), subresource)
  }

  #patched(before: KubeObject, how: Writing, body: unknown): unknown {
    switch (how) {
      case 'json':
        return applyJsonPatch(before, body)
      case 'strategic':
        if (this.#kind.isCustom) throw noStrategicMergePatch()
        return applyStrategicMergePatch(before, body, this.#shape)
      default:
        return applyMergePatch(before, body)
    }
  }
}

/** What the kind's strategy does: a write of the status changes nothing else. */
function stored(before: KubeObject | undefined, after: KubeObject, subresource: string) {
  if (before === undefined || subresource === '') return after
  return withManagedFields({ ...before, status: after.status }, after.metadata.managedFields)
}

/** Of who wrote last, which is whoever was asked now. */
function newestTime(body: unknown): string {
  if (!isRecord(body) || !isRecord(body.metadata)) return ''
  const times = asObject(body).metadata.managedFields?.map(({ time }) => time ?? '') ?? []
  return times.sort().at(-1) ?? ''
}

function outcomeOf({ status, body }: Answer): Outcome {
  if (status < 300) return { code: status, object: comparable(asObject(body)) }
  if (!isRecord(body)) return { code: status }
  const causes = isRecord(body.details) ? body.details.causes : undefined
  return {
    code: status,
    reason: body.reason ?? '',
    message: body.message,
    causes: inOrder(Array.isArray(causes) ? causes : []),
  }
}

/** The server lists the managers that a configuration conflicts with in any order. */
function inOrder(causes: readonly unknown[]): readonly unknown[] {
  const texts = causes.map((cause) => {
    return isRecord(cause) ? [String(cause.field), String(cause.message), String(cause.reason)] : []
  })
  return texts.sort()
}

const givenByServer = new Set([
  ...['creationTimestamp', 'generation', 'managedFields', 'namespace', 'resourceVersion', 'uid'],
])

/** Without what depends on when it was written; every manager has a time or none. */
function comparable(object: KubeObject): unknown {
  const { metadata, status: _, ...rest } = object
  const kept = Object.entries(metadata).filter(([key]) => !givenByServer.has(key))
  const managed = (metadata.managedFields ?? []).map((entry) => ({
    ...entry,
    ...(entry.time !== undefined && { time: 'once' }),
  }))
  const byName = managed.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  return JSON.parse(
    JSON.stringify({ ...rest, metadata: Object.fromEntries(kept), managed: byName }),
  ) as unknown
}

function keyOf({ manager, operation, subresource }: Readonly<Record<string, unknown>>): string {
  return `${String(operation)} ${String(manager)} ${String(subresource)}`
}

import { JackstayError } from '@jackstay/contract/errors'
import { dnsLabel, dnsName } from '@jackstay/contract/text'
import type { Trigger } from '@jackstay/contract/trigger'
import type { z } from 'zod'
import { type Diagnosis, diagnose, type Escalation } from './diagnose.ts'
import {
  autoscaler,
  type Deployment,
  deployment,
  event,
  type Findings,
  pod,
  replicaSet,
  selectorOf,
} from './findings.ts'
import type { Evidence, KindQuery, ListQuery, Sidecar } from './sidecar.ts'

export interface Investigation {
  readonly diagnosis: Diagnosis
  readonly evidence: readonly Evidence[]
}

/** What an alert is about, as far as its labels can be used as a name. */
export interface Subject {
  readonly namespace: string
  readonly name: string
}

const pageSize = 25
const mostPages = 8

/** The Deployment an alert names. The name is only a hint where to look. */
export function subjectOf({ labels }: Trigger): Subject | undefined {
  const namespace = dnsLabel.safeParse(labels.namespace)
  const name = dnsName.safeParse(labels.deployment)
  if (!namespace.success || !name.success) return undefined
  return { namespace: namespace.data, name: name.data }
}

/**
 * Reads everything the runbook needs and judges it.
 * @throws JackstayError that is worth another try
 */
export async function investigate(
  subject: Subject,
  sidecar: Sidecar,
  signal: AbortSignal,
): Promise<Investigation> {
  const reader = new Reader(sidecar, subject.namespace, signal)
  try {
    const findings = await gather(subject, reader)
    return { diagnosis: diagnose(findings), evidence: reader.evidence }
  } catch (error) {
    if (!(error instanceof JackstayError) || error.retryable) throw error
    return { diagnosis: unread(error), evidence: reader.evidence }
  }
}

async function gather({ name }: Subject, reader: Reader): Promise<Findings> {
  const found = await reader.one(deployment, 'apps/v1', 'Deployment', name)
  const labelSelector = selectorOf(found)
  return {
    deployment: found,
    replicaSets: await reader.all(replicaSet, 'apps/v1', 'ReplicaSet', { labelSelector }),
    autoscalers: await reader.all(autoscaler, 'autoscaling/v2', 'HorizontalPodAutoscaler'),
    pods: await reader.all(pod, 'v1', 'Pod', { labelSelector }),
    events: await eventsIfAllowed(found, reader),
  }
}

/** Events only make the answer better: without them it is still right. */
async function eventsIfAllowed(found: Deployment, reader: Reader): Promise<Findings['events']> {
  try {
    const all = await reader.all(event, 'v1', 'Event', { limit: 100 })
    return all.filter(({ involvedObject }) => involvedObject.uid === found.metadata.uid)
  } catch (error) {
    if (error instanceof JackstayError && !error.retryable) return []
    throw error
  }
}

function unread(error: JackstayError): Escalation {
  const reason = error.code === 'not_found' ? 'deployment_missing' : 'unreadable'
  return { kind: 'escalate', reason, message: `${error.code}: ${error.message}` }
}

/** Reads one namespace and keeps the proof of each read. */
class Reader {
  readonly evidence: Evidence[] = []
  readonly #sidecar: Sidecar
  readonly #namespace: string
  readonly #signal: AbortSignal

  constructor(sidecar: Sidecar, namespace: string, signal: AbortSignal) {
    this.#sidecar = sidecar
    this.#namespace = namespace
    this.#signal = signal
  }

  async one<S extends z.ZodType>(
    schema: S,
    apiVersion: string,
    kind: string,
    name: string,
  ): Promise<z.output<S>> {
    const what = { apiVersion, kind, namespace: this.#namespace, name }
    const { object, evidence } = await this.#sidecar.get(what, this.#signal)
    this.evidence.push(evidence)
    return parsed(schema, object, what)
  }

  /** @throws JackstayError `too_large` rather than leaving anything out */
  async all<S extends z.ZodType>(
    schema: S,
    apiVersion: string,
    kind: string,
    options: Partial<Pick<ListQuery, 'labelSelector' | 'limit'>> = {},
  ): Promise<z.output<S>[]> {
    const what = { apiVersion, kind, namespace: this.#namespace }
    const items: z.output<S>[] = []
    let next: string | undefined
    for (let page = 0; page < mostPages; page++) {
      const query = { limit: pageSize, ...what, ...options, ...(next && { continue: next }) }
      const answer = await this.#sidecar.list(query, this.#signal)
      this.evidence.push(answer.evidence)
      items.push(...answer.items.map((item) => parsed(schema, item, what)))
      next = answer.continue
      if (next === undefined) return items
    }
    throw new JackstayError('too_large', `\`${this.#namespace}\` has too many ${kind}s to look at`)
  }
}

function parsed<S extends z.ZodType>(
  schema: S,
  object: unknown,
  { kind, namespace }: KindQuery,
): z.output<S> {
  const result = schema.safeParse(object)
  if (result.success) return result.data
  throw new JackstayError('invalid_request', `a ${kind} of \`${namespace}\` is not as expected`, {
    cause: result.error,
  })
}

import type { Decision } from '@jackstay/contract/decision'
import { JackstayError } from '@jackstay/contract/errors'
import { fieldChanges } from '@jackstay/contract/field-changes'
import { digestOf, type Json } from '@jackstay/contract/json'
import {
  type IntentObjectStatus,
  intentFinalizer,
  intentObject,
} from '@jackstay/contract/kinds/intent-object'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { describeObject, type Plan } from '@jackstay/contract/plan'
import { hasEnded, type IntentRecord } from '@jackstay/contract/record'
import { visible } from '@jackstay/contract/text'
import type { KubeClient, WriteResult } from '@jackstay/kube/client'
import type { IntentObjectView } from '../ports.ts'

const resource = { apiVersion: groupVersion, kind: 'Intent', resource: intentObject.plural }

/** The object holds 64; the last one says what is left out. */
const maxLines = 63

/** One line per field a plan changes: `path: before → after`, as the API server showed it. */
export function diffLines(plan: Plan): string[] {
  const lines = plan.writes.flatMap((write) => {
    const object = describeObject(write.object)
    return fieldChanges(write).map(({ path, before, after }) => {
      const shown = [before, after].map((v) => (v === undefined ? '(absent)' : JSON.stringify(v)))
      const what = path === '' ? `${object} (${write.verb})` : `${object} ${path}`
      return visible(`${what}: ${shown.join(' → ')}`, 2000)
    })
  })
  const rest = lines.length - maxLines
  return rest <= 0
    ? lines
    : [...lines.slice(0, maxLines), `and ${rest} more: read all of them with jackstay why`]
}

/** What the Intent object says. Pure over the record: the ledger is the truth, this shows it. */
export function statusOf(record: IntentRecord): IntentObjectStatus {
  const { rehearsed, ended } = record
  const plan = rehearsed?.plan ?? record.planned?.plan
  const waiting = record.phase === 'approve'
  const needs = waiting && rehearsed ? needed(rehearsed.decision) : []
  const message =
    ended?.message ?? (waiting ? `waits for ${needs.join('; ')}` : `in stage ${record.phase}`)
  return {
    phase: record.phase,
    message: visible(message),
    ...(ended && { reason: ended.reason }),
    ...(rehearsed && { digest: rehearsed.digest }),
    ...(plan && { summary: visible(plan.summary, 512), diff: diffLines(plan) }),
    ...(plan?.notes && { notes: plan.notes.map((note) => visible(note)) }),
    needs,
    ...(rehearsed?.approveBefore !== undefined && { expiresAt: rehearsed.approveBefore }),
  }
}

/** In words, as many and as long as the object may hold: a status that is refused shows nothing. */
function needed({ requirements, waived = [] }: Decision): string[] {
  const words = requirements.map(
    (r) => `${r.count} approval(s) by ${r.groups.join(' or ')} (${r.from})`,
  )
  const separate = requirements.some((r) => r.separate) ? ['nobody may serve two of these'] : []
  const rest = words.length > 12 ? [`and ${words.length - 12} more`] : []
  const shown = [...words.slice(0, 12), ...rest, ...separate, ...waived.slice(0, 2)]
  return shown.map((text) => visible(text, 512))
}

/** Intents nobody could act on never become objects: a flood of refusals fills no etcd. */
function isShown(record: IntentRecord): boolean {
  return record.rehearsed !== undefined
}

export interface Projection {
  /** Brings the Intent object in step with the record. Safe to repeat. */
  show(record: IntentRecord, known: IntentObjectView | undefined): Promise<void>
  /** Removes an ended intent's object and its approvals. */
  remove(known: IntentObjectView, approvals: readonly { readonly name: string }[]): Promise<void>
}

/** Shows intents as objects where the owners of their targets look. */
export function projection(client: KubeClient): Projection {
  return {
    async show(record, known) {
      if (!isShown(record)) return
      if (known === undefined) {
        if (hasEnded(record)) return
        await create(client, record)
      }
      const namespace = known?.namespace ?? namespaceOf(record)
      const status = statusOf(record)
      if (known?.statusHash !== digestOf(status)) {
        const ref = { ...resource, namespace, name: record.id }
        const patched = await client.mergePatch(ref, { status }, { subresource: 'status' })
        demand(patched, known?.deleting === true)
      }
      if (known?.deleting && hasEnded(record)) await release(client, known)
    },
    async remove(known, approvals) {
      for (const { name } of approvals) {
        const approval = { apiVersion: groupVersion, resource: 'approvals' }
        const ref = { ...approval, namespace: known.namespace, name }
        demand(await client.delete(ref), true)
      }
      const ref = { ...resource, namespace: known.namespace, name: known.name }
      demand(await client.delete(ref, { preconditions: { uid: known.uid } }), true)
      await release(client, known)
    },
  }
}

function namespaceOf(record: IntentRecord): string {
  return record.authenticated.claims.target.namespace ?? systemNamespace
}

async function create(client: KubeClient, record: IntentRecord): Promise<void> {
  const { claims, agent, jws } = record.authenticated
  const namespace = namespaceOf(record)
  const created = await client.create(resource, namespace, {
    apiVersion: groupVersion,
    kind: 'Intent',
    metadata: {
      name: record.id,
      namespace,
      finalizers: [intentFinalizer],
      labels: { 'app.kubernetes.io/managed-by': 'jackstay' },
    },
    spec: {
      agent: agent.name,
      action: claims.action,
      target: describeObject(claims.target),
      jws,
    },
  })
  if (created.kind === 'conflict') return // made by an earlier run of this very step
  demand(created, false)
}

async function release(client: KubeClient, known: IntentObjectView): Promise<void> {
  const ref = { ...resource, namespace: known.namespace, name: known.name }
  const body: { readonly [key: string]: Json } = { metadata: { finalizers: null } }
  demand(await client.mergePatch(ref, body, { preconditions: { uid: known.uid } }), true)
}

function demand(result: WriteResult, mayBeGone: boolean): void {
  if (result.kind === 'applied') return
  if (mayBeGone && result.kind === 'refused' && result.status === 404) return
  const message = result.kind === 'unknown' ? result.cause.message : result.message
  throw new JackstayError('cluster_refused', `the Intent object could not be written: ${message}`)
}

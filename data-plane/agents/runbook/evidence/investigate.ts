import { JackstayError } from '@jackstay/contract/errors'
import { selectorText } from '@jackstay/contract/label-selector'
import { diagnose } from '../diagnoses/diagnose.ts'
import { type Diagnosis, escalate } from '../diagnoses/diagnosis.ts'
import type { Evidence, Sidecar } from '../sidecar.ts'
import type { Findings } from './findings.ts'
import { namedDeployment } from './named-deployment.ts'
import { autoscaler, deployment, event, node, pod, replicaSet } from './objects.ts'
import { Reader } from './reader.ts'
import type { Subject } from './subject.ts'
import { showing, symptomsOf } from './symptoms.ts'

export interface Investigation {
  readonly diagnosis: Diagnosis
  readonly evidence: readonly Evidence[]
}

export interface Looking {
  readonly sidecar: Sidecar
  readonly clock: { now(): number }
  readonly cordonSettledMs: number
}

/** For one look, everything together. */
const lookMs = 60_000

/**
 * Reads everything the runbook needs and judges it.
 * @throws JackstayError that is worth another try
 */
export async function investigate(
  subject: Subject,
  looking: Looking,
  signal: AbortSignal,
): Promise<Investigation> {
  const deadline = AbortSignal.timeout(lookMs)
  const reader = new Reader(looking.sidecar, AbortSignal.any([signal, deadline]))
  try {
    const name = await namedDeployment(subject, reader)
    if (typeof name !== 'string') return { diagnosis: name, evidence: reader.evidence }
    const findings = await gather({ namespace: subject.namespace, name }, reader, looking)
    return { diagnosis: diagnose(findings), evidence: reader.evidence }
  } catch (error) {
    if (deadline.aborted && !signal.aborted) {
      throw new JackstayError('too_slow', `a look at \`${subject.name}\` took over ${lookMs} ms`)
    }
    if (!(error instanceof JackstayError) || error.retryable) throw error
    return { diagnosis: unread(error), evidence: reader.evidence }
  }
}

async function gather(
  { namespace, name }: Pick<Subject, 'namespace' | 'name'>,
  reader: Reader,
  { clock, cordonSettledMs }: Looking,
): Promise<Findings> {
  const apps = { apiVersion: 'apps/v1', namespace }
  const found = await reader.one(deployment, { ...apps, kind: 'Deployment' }, name)
  const labelSelector = selectorText(found.spec.selector)
  const core = { apiVersion: 'v1', namespace }
  const autoscaling = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', namespace }
  const replicaSets = reader.all(replicaSet, { ...apps, kind: 'ReplicaSet' }, { labelSelector })
  const all = {
    replicaSets: await replicaSets,
    autoscalers: await reader.all(autoscaler, autoscaling),
    pods: await reader.all(pod, { ...core, kind: 'Pod' }, { labelSelector }),
  }
  const events = await ifAllowed(() =>
    reader.all(event, { ...core, kind: 'Event' }, { limit: 100 }),
  )
  const at = clock.now()
  // nodes are everybody's: read only where a Pod found none
  const asked = showing('unschedulable', symptomsOf(all.pods, at)).length > 0
  const nodes = await ifAllowed(async () =>
    asked ? await reader.all(node, { apiVersion: 'v1', kind: 'Node' }, { limit: 10 }) : [],
  )
  return {
    ...{ at, cordonSettledMs, deployment: found, ...all },
    events: events.items.filter(({ involvedObject }) => involvedObject.uid === found.metadata.uid),
    nodes: nodes.items,
    unread: {
      ...(events.why !== undefined && { events: events.why }),
      ...(nodes.why !== undefined && { nodes: nodes.why }),
    },
  }
}

/** What makes the answer better, or is asked for only by some incidents: they say what they miss. */
async function ifAllowed<T>(
  read: () => Promise<readonly T[]>,
): Promise<{ readonly items: readonly T[]; readonly why?: string }> {
  try {
    return { items: await read() }
  } catch (error) {
    if (error instanceof JackstayError && !error.retryable) {
      return { items: [], why: error.message }
    }
    throw error
  }
}

function unread(error: JackstayError): Diagnosis {
  const reason = error.code === 'not_found' ? 'deployment_missing' : 'unreadable'
  return escalate(reason, `${error.code}: ${error.message}`, [
    'the Deployment and what belongs to it',
  ])
}

import type { Observed, TargetKind } from '@jackstay/actions/action'
import { JackstayError } from '@jackstay/contract/errors'
import { drainsAnnotation } from '@jackstay/contract/executor'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import type { WriteObject } from '@jackstay/contract/plan'
import type { KubeClient, WriteResult } from '@jackstay/kube/client'
import { find } from '@jackstay/kube/find'
import type { KubeObject, ResourceRef } from '@jackstay/kube/resources'
import type { Targets, WriteAnswer, WriteIdentity } from '../ports.ts'
import { fieldManager } from '../writes/settle.ts'
import { together } from './together.ts'

/** More objects of one kind in a namespace than this are not read for one plan. */
const maxPages = 20

/** Whatever the API server sends is JSON; the action's schema says what of it counts. */
function observed(object: KubeObject): Observed {
  return object as unknown as Observed
}

async function observe(client: KubeClient, ref: ResourceRef): Promise<Observed | undefined> {
  const object = await find(client, ref)
  return object && observed(object)
}

interface Listed {
  readonly kind: TargetKind
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

async function listAll(client: KubeClient, { kind, namespace, ...selector }: Listed) {
  const items: Observed[] = []
  let next: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const list = await client.list(kind, {
      ...(namespace !== undefined && { namespace }),
      limit: 500,
      ...selector,
      ...(next !== undefined && { continue: next }),
    })
    items.push(...list.items.map(observed))
    next = list.continue
    if (next === undefined) return items
  }
  throw new JackstayError(
    'too_large',
    `there are too many ${kind.resource} in ${namespace === undefined ? 'the cluster' : `the namespace \`${namespace}\``} to plan with; move some away`,
  )
}

function resourceRef({ apiVersion, kind, resource, namespace, name }: WriteObject): ResourceRef {
  return { apiVersion, kind, resource, name, ...(namespace !== undefined && { namespace }) }
}

/** Kubernetes' audit log names the intent by these. */
function extras(identity: WriteIdentity): Record<string, readonly string[]> {
  return {
    'jackstay.dev/intent': [identity.intent],
    'jackstay.dev/agent': [identity.agent],
    'jackstay.dev/action': [identity.action],
    ...(identity.undo && { 'jackstay.dev/phase': ['undo'] }),
  }
}

/** Reads as the mediator, writes as the executor: merge patches bound to uid and resourceVersion. */
export function kubeTargets(client: KubeClient): Targets {
  const one = together((ref: ResourceRef) => observe(client, ref))
  const all = together((listed: Listed) => listAll(client, listed))
  return {
    get: ({ apiVersion, resource }, namespace, name) =>
      one({ apiVersion, resource, name, ...(namespace !== '' && { namespace }) }),
    list: (kind, namespace, labelSelector) =>
      all({ kind, namespace, ...(labelSelector !== undefined && { labelSelector }) }),
    listEverywhere: (kind, fieldSelector) => all({ kind, fieldSelector }),
    read: (ref) => one(resourceRef(ref)),
    patch: (ref, body, { uid, resourceVersion }, identity, { dryRun }) =>
      sent(client, identity, (executor, fieldManager) =>
        executor.mergePatch(resourceRef(ref), body as Record<string, unknown>, {
          ...{ dryRun, fieldManager },
          preconditions: { uid, resourceVersion },
        }),
      ),
    evict: ({ object, drains }, { uid, resourceVersion }, identity, { dryRun }) =>
      sent(
        client,
        identity,
        (executor, fieldManager) =>
          executor.evict(resourceRef(object), {
            ...{ dryRun, fieldManager, labels: { [governedLabel]: 'true' } },
            ...(drains !== undefined && { annotations: { [drainsAnnotation]: drains } }),
            preconditions: { uid, resourceVersion },
          }),
        // here it is the word of a disruption budget that is used up
        'later',
      ),
    create: (ref, body, identity, { dryRun }) =>
      sent(client, identity, (executor, fieldManager) => {
        const fieldValidation = 'Strict' as const
        return executor.create(ref, ref.namespace, body, { dryRun, fieldManager, fieldValidation })
      }),
  }
}

/** One write as the executor, in the name of the intent. */
async function sent(
  client: KubeClient,
  identity: WriteIdentity,
  write: (executor: KubeClient, fieldManager: string) => Promise<WriteResult>,
  /** What an answer of 429 means; else that the server is too busy, and wrote nothing. */
  busy: 'later' | 'not_sent' = 'not_sent',
): Promise<WriteAnswer> {
  const executor = client.as({ username: identity.executor, extra: extras(identity) })
  try {
    return answer(await write(executor, fieldManager(identity.intent, identity.undo)), busy)
  } catch (error) {
    if (error instanceof JackstayError && error.code === 'upstream_unavailable') {
      return { kind: 'not_sent', message: error.message }
    }
    throw error
  }
}

function answer(result: WriteResult, busy: 'later' | 'not_sent'): WriteAnswer {
  const audit = result.auditId === undefined ? {} : { auditId: result.auditId }
  switch (result.kind) {
    case 'applied':
      return { kind: 'applied', object: observed(result.object), ...audit }
    case 'conflict':
      return { kind: 'conflict', message: result.message, ...audit }
    case 'refused':
      if (result.status === 429) return { kind: busy, message: result.message }
      // a patch with another object's uid tries to change an immutable field (RECIPES: 422)
      return result.status === 422 && result.message.includes('metadata.uid')
        ? { kind: 'conflict', message: result.message, ...audit }
        : { kind: 'refused', message: result.message, ...audit }
    case 'unknown':
      return { kind: 'unknown', message: result.cause.message }
  }
}

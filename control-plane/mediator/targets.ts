import type { Observed, TargetKind } from '@jackstay/actions/action'
import { JackstayError } from '@jackstay/contract/errors'
import type { ObjectRef } from '@jackstay/contract/plan'
import type { KubeClient } from '@jackstay/kube/client'
import { find } from '@jackstay/kube/find'
import type { KubeObject, ResourceRef } from '@jackstay/kube/resources'
import type { Targets, WriteAnswer, WriteIdentity } from './ports.ts'
import { fieldManager } from './settle.ts'

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

async function listAll(
  client: KubeClient,
  kind: TargetKind,
  namespace: string,
  labelSelector: string | undefined,
) {
  const items: Observed[] = []
  let next: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const list = await client.list(kind, {
      namespace,
      limit: 500,
      ...(labelSelector !== undefined && { labelSelector }),
      ...(next !== undefined && { continue: next }),
    })
    items.push(...list.items.map(observed))
    next = list.continue
    if (next === undefined) return items
  }
  throw new JackstayError(
    'too_large',
    `the namespace \`${namespace}\` has too many ${kind.resource} to plan with; move some away`,
  )
}

function resourceRef({ apiVersion, kind, resource, namespace, name }: ObjectRef): ResourceRef {
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
  return {
    get: (kind, namespace, name) => observe(client, { ...kind, namespace, name }),
    list: (kind, namespace, selector) => listAll(client, kind, namespace, selector),
    read: (ref) => observe(client, resourceRef(ref)),
    async patch(ref, body, { uid, resourceVersion }, identity, { dryRun }): Promise<WriteAnswer> {
      const executor = client.as({ username: identity.executor, extra: extras(identity) })
      try {
        const result = await executor.mergePatch(
          resourceRef(ref),
          body as Record<string, unknown>,
          {
            dryRun,
            fieldManager: fieldManager(identity.intent, identity.undo),
            preconditions: { uid, resourceVersion },
          },
        )
        return answer(result)
      } catch (error) {
        if (error instanceof JackstayError && error.code === 'upstream_unavailable') {
          return { kind: 'not_sent', message: error.message }
        }
        throw error
      }
    },
  }
}

function answer(result: Awaited<ReturnType<KubeClient['mergePatch']>>): WriteAnswer {
  const audit = result.auditId === undefined ? {} : { auditId: result.auditId }
  switch (result.kind) {
    case 'applied':
      return { kind: 'applied', object: observed(result.object), ...audit }
    case 'conflict':
      return { kind: 'conflict', message: result.message, ...audit }
    case 'refused':
      // a patch with another object's uid tries to change an immutable field (RECIPES: 422)
      return result.status === 422 && result.message.includes('metadata.uid')
        ? { kind: 'conflict', message: result.message, ...audit }
        : { kind: 'refused', message: result.message, ...audit }
    case 'unknown':
      return { kind: 'unknown', message: result.cause.message }
  }
}

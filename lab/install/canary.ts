import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemNamespace } from '@jackstay/contract/namespaces'
import type { KubeClient } from '@jackstay/kube/client'
import { ClusterObjects } from './cluster-objects.ts'
import type { Manifest } from './manifests.ts'

const biteMs = 30_000
/** How the names of policies begin that last for a moment only. */
export const canary = 'jackstay-canary-'

/** Refuses one ConfigMap that nobody else would make. */
function canaryPolicy(name: string): Manifest[] {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const rule = {
    ...{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
    resourceNames: [name],
  }
  return [
    {
      ...{ apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name } },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: 'false', message: name }],
      },
    },
    {
      ...{ apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name } },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ]
}

/**
 * A policy works a moment after its creation. The API server learns of policies in the order they were
 * written, so one more, written last, tells by its refusal that all before it work, changed ones too.
 */
export async function untilPoliciesBite(
  { client, signal }: { readonly client: KubeClient; readonly signal: AbortSignal },
  apply: (objects: readonly Manifest[]) => Promise<void>,
): Promise<void> {
  const name = `${canary}${randomBytes(4).toString('hex')}`
  const policy = canaryPolicy(name)
  const refused = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }
  const until = performance.now() + biteMs
  try {
    await apply(policy)
    for (;;) {
      const made = await client.create(
        { apiVersion: 'v1', resource: 'configmaps' },
        ...([systemNamespace, refused, { dryRun: true, signal }] as const),
      )
      const words = 'message' in made ? made.message : made.kind
      if (words.includes(name) && words.includes('denied request')) return
      if (performance.now() > until) {
        throw new Error(`the admission policies do not bite after ${biteMs / 1000} s: ${words}`)
      }
      await sleep(200, undefined, { signal })
    }
  } finally {
    await removed(client, policy)
  }
}

/** Also where the installer was told to stop. */
async function removed(client: KubeClient, policy: readonly Manifest[]): Promise<void> {
  const objects = new ClusterObjects(client)
  for (const one of policy.toReversed()) {
    const found = await objects.find(one)
    const answer = found && (await objects.delete(one, found.metadata.uid ?? ''))
    if (answer?.kind !== 'applied' && answer !== undefined && (await objects.find(one))) {
      throw new Error(`${one.kind} ${one.metadata.name} is left; delete it by hand`)
    }
  }
}

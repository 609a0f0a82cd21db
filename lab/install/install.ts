import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '@jackstay/kube/client'
import { holds } from '../kubernetes/resources/columns.ts'
import { untilPoliciesBite } from './canary.ts'
import { ClusterObjects } from './cluster-objects.ts'
import { type Manifest, manifest, manifestsIn } from './manifests.ts'

export interface InstallOptions {
  /** As an administrator. */
  readonly client: KubeClient
  readonly signal: AbortSignal
  /** Told what stands in the cluster now, for whoever has to take it away again. */
  readonly onApplied?: (objects: readonly Applied[]) => void
}

/** An object as the API server answered. */
export interface Applied extends Manifest {
  readonly metadata: Manifest['metadata'] & { readonly uid: string }
}

/** The field manager of everything that is installed. */
export const installer = 'jackstay-install'

export const chart = new URL('../../charts/jackstay/', import.meta.url).pathname

/** What others lie in, or are of. */
const firstKinds: readonly string[] = ['Namespace', 'CustomResourceDefinition']
const atOnce = 8

/**
 * Server-side applies objects: namespaces and kinds, then the rest, several at a time.
 * @throws Error naming the object that the API server refused, and its words
 */
export async function applyObjects(
  options: InstallOptions,
  manifests: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const wanted = manifests.map((one) => manifest.parse(one))
  const objects = new ClusterObjects(options.client)
  const isFirst = ({ kind }: Manifest) => firstKinds.includes(kind)
  for (const part of [wanted.filter(isFirst), wanted.filter((one) => !isFirst(one))]) {
    const left = [...part]
    const apply = async () => {
      for (let one = left.shift(); one !== undefined; one = left.shift()) {
        const { metadata } = await objects.apply(one, installer, options.signal)
        options.onApplied?.([{ ...one, metadata: { ...one.metadata, uid: metadata.uid ?? '' } }])
      }
    }
    await Promise.all(Array.from({ length: atOnce }, apply))
  }
}

/** Installs kinds, namespaces, roles and policies, and waits until they bite. Safe to repeat. */
export async function installJackstay(options: InstallOptions): Promise<void> {
  const kinds = manifestsIn(join(chart, 'crds'))
  await applyObjects(options, kinds)
  for (const kind of kinds) await untilEstablished(options, kind)
  for (const part of ['namespaces.yaml', 'roles', 'policies']) {
    await applyObjects(options, manifestsIn(join(chart, part)))
  }
  await untilPoliciesBite(options, (objects) => applyObjects(options, objects))
}

const establishedMs = 30_000

async function untilEstablished({ client, signal }: InstallOptions, kind: Manifest): Promise<void> {
  const objects = new ClusterObjects(client)
  const until = performance.now() + establishedMs
  for (;;) {
    if (holds(await objects.find(kind), 'Established')) return
    if (performance.now() > until) {
      throw new Error(
        `${kind.metadata.name} is not served after ${establishedMs / 1000} s; see \`kubectl describe crd ${kind.metadata.name}\``,
      )
    }
    await sleep(100, undefined, { signal })
  }
}

import { governedLabel } from '@jackstay/contract/kinds/suspension'
import type { Manifest } from './manifests.ts'

export const poolLabel = 'pool.example/name'

/** The lab has as many, of 4 CPUs and 8 GiB each. */
export const nodeNames = ['node-1', 'node-2', 'node-3'] as const
/** The one node whose pool is for payments. */
export const paymentsNode = 'node-3'

function node(name: string, labels: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } }
}

/** What whoever runs the nodes says of them: which pool, and that agents may open them. */
export const nodes: readonly Manifest[] = nodeNames.map((name) =>
  node(name, {
    [governedLabel]: 'true',
    [poolLabel]: name === paymentsNode ? 'payments' : 'general',
  }),
)

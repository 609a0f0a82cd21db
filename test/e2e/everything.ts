import type { Cluster } from '@jackstay/cluster/cluster'
import { demand } from '@jackstay/lab/shell'

/** Every object of a cluster but what Kubernetes itself comes and goes with, by uid. */
export async function everything({ kubectl, kubeconfig }: Cluster): Promise<string> {
  const signal = AbortSignal.timeout(60_000)
  const ask = (args: readonly string[]) =>
    demand(kubectl, ['--kubeconfig', kubeconfig, ...args], { signal })
  const kinds = (await ask(['api-resources', '--verbs=list,delete', '-o', 'name']))
    .split('\n')
    .filter((name) => name !== '' && !/^events|^leases\./.test(name))
  const form =
    '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name} {.metadata.uid}{"\\n"}{end}'
  const all = await ask(['get', kinds.join(','), '-A', '-o', `jsonpath=${form}`])
  return all.split('\n').toSorted().join('\n')
}

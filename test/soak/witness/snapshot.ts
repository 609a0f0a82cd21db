import type { JsonMap } from '@jackstay/contract/json'
import type { World } from '@jackstay/e2e/world'
import { z } from 'zod'
import { nodes } from '../schedule/steps.ts'
import type { Snapshot } from '../verdict/evidence.ts'
import { essence, keyOf } from '../verdict/state.ts'

/** What controllers make and keep by themselves, and what Jackstay says of itself: others look at that. */
const left = new Set([
  ...['pods', 'replicasets.apps', 'controllerrevisions.apps', 'events', 'events.events.k8s.io'],
  ...['endpoints', 'endpointslices.discovery.k8s.io', 'leases.coordination.k8s.io'],
  ...['intents.jackstay.dev', 'approvals.jackstay.dev', 'agentkeys.jackstay.dev'],
])

const list = z.object({
  items: z.array(
    z.looseObject({
      apiVersion: z.string(),
      kind: z.string(),
      metadata: z.looseObject({ name: z.string(), namespace: z.string().default('') }),
    }),
  ),
})

/** All objects of all kinds in some namespaces, and the nodes that are looked after, by plain kubectl. */
export async function snapshot(
  { kubectl }: Pick<World, 'kubectl'>,
  namespaces: Iterable<string>,
): Promise<Snapshot> {
  const demand = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await kubectl(args)
    if (code !== 0) throw new Error(`\`kubectl ${args.join(' ')}\` failed: ${stderr}`)
    return stdout
  }
  const names = await demand(['api-resources', '--verbs=list', '--namespaced', '-o', 'name'])
  const kinds = names.split('\n').filter((name) => name !== '' && !left.has(name))
  const resources = await resourcesByKind(demand)
  const found = new Map<string, JsonMap>()
  const governed = new Set(namespaces)
  const text = await demand(['get', kinds.join(','), '-A', '-o', 'json'])
  for (const item of list.parse(JSON.parse(text)).items) {
    const { name, namespace } = item.metadata
    if (!governed.has(namespace)) continue
    const group = item.apiVersion.includes('/') ? (item.apiVersion.split('/')[0] ?? '') : ''
    const resource = resources.get(`${group}/${item.kind}`) ?? item.kind
    // parsed from JSON, so it is JSON
    const object = item as unknown as JsonMap
    found.set(keyOf(resource, group, namespace, name), essence(object))
  }
  const ours = await demand(['get', 'nodes', ...nodes, '-o', 'json'])
  for (const item of list.parse(JSON.parse(ours)).items) {
    const object = item as unknown as JsonMap
    found.set(keyOf('nodes', '', '', item.metadata.name), essence(object))
  }
  return found
}

/** `apps/Deployment` → `deployments`, as the audit log names it. */
async function resourcesByKind(
  demand: (args: readonly string[]) => Promise<string>,
): Promise<Map<string, string>> {
  const table = await demand(['api-resources', '--verbs=list', '--namespaced', '--no-headers'])
  const rows = table.split('\n').flatMap((line): [string, string][] => {
    // the short names in the second column may be missing: the last three are always there
    const [kind = '', , version = ''] = line.trim().split(/\s+/).toReversed()
    const [resource = ''] = line.split(/\s/)
    const group = version.includes('/') ? (version.split('/')[0] ?? '') : ''
    return resource === '' ? [] : [[`${group}/${kind}`, resource]]
  })
  return new Map(rows)
}

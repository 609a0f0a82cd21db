import { batch } from './batch.ts'
import { agentClassOf, objectsOfClass, worldAgents } from './classes.ts'
import { images } from './images.ts'
import type { Manifest } from './manifests.ts'
import { nodes } from './nodes.ts'
import { payments } from './payments.ts'
import { peopleBindings } from './people.ts'
import { policies } from './policies.ts'
import { shop } from './shop.ts'

/** The namespaces that incidents happen in. */
export const worldNamespaces = ['shop', 'payments', 'batch'] as const

/** What runs in them. */
export const workloads: readonly Manifest[] = [...shop, ...payments, ...batch]

/** Everything that runs or is run on; the classes make its namespaces. */
export const worldObjects: readonly Manifest[] = [...images, ...nodes, ...workloads]

/** Deployments that have to be up before anything breaks, as `namespace/name`. */
export const readyDeployments: readonly string[] = workloads.flatMap(({ kind, metadata }) =>
  kind === 'Deployment' ? [`${metadata.namespace}/${metadata.name}`] : [],
)

/** Who may do what in the world, people and agents; with its namespaces. */
export const governance: readonly Readonly<Record<string, unknown>>[] = [
  ...worldAgents.flatMap((agent) => objectsOfClass(agent)),
  ...peopleBindings,
  ...worldAgents.map((agent) => agentClassOf(agent)),
  ...policies,
]

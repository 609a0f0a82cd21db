import type { Registry } from '../resources/registry.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'

/** Of Kubernetes, whose behaviour the lab follows. */
export const kubernetesVersion = {
  major: '1',
  minor: '37',
  gitVersion: 'v1.37.2-jackstay-lab',
} as const

/** What `/version` says. */
export const versionInfo = {
  ...kubernetesVersion,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'lab',
}

/** Of what a group serves, in the order that clients take the first of. */
interface Group {
  readonly name: string
  readonly versions: readonly string[]
}

/** Kinds that subresources speak, where it is not the kind of the object itself. */
const kindsOfSubresources: Readonly<
  Record<string, { group: string; version: string; kind: string }>
> = {
  scale: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  eviction: { group: 'policy', version: 'v1', kind: 'Eviction' },
  token: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
  binding: { group: '', version: 'v1', kind: 'Binding' },
}
const verbsOfSubresources: Readonly<Record<string, readonly string[]>> = {
  status: ['get', 'patch', 'update'],
  scale: ['get', 'patch', 'update'],
  finalize: ['update'],
  log: ['get'],
  eviction: ['create'],
  binding: ['create'],
  token: ['create'],
}

/** As a real server lists its own, and clients then list what is of several; those of others come last. */
const order: readonly string[] = [
  ...['apps', 'events.k8s.io', 'authentication.k8s.io', 'authorization.k8s.io', 'autoscaling'],
  ...['batch', 'networking.k8s.io', 'policy', 'rbac.authorization.k8s.io', 'storage.k8s.io'],
  ...['admissionregistration.k8s.io', 'apiextensions.k8s.io', 'scheduling.k8s.io'],
  ...['coordination.k8s.io', 'discovery.k8s.io'],
]

function groups(registry: Registry): readonly Group[] {
  const versions = new Map<string, Set<string>>()
  for (const { group, version } of registry.all()) {
    if (group !== '') versions.set(group, (versions.get(group) ?? new Set()).add(version))
  }
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)
  const inOrder = [...versions].sort(([a], [b]) => place(a) - place(b))
  return inOrder.map(([name, some]) => ({ name, versions: [...some] }))
}

const inGroup = (registry: Registry, group: string, version: string) =>
  registry.all().filter((one) => one.group === group && one.version === version)

/** `/apis`. */
export function groupList(registry: Registry): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups(registry).map(groupOf) }
}

/** `/apis/<group>`, undefined where there is none. */
export function group(registry: Registry, name: string): object | undefined {
  const found = groups(registry).find((one) => one.name === name)
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(found) }
}

function groupOf({ name, versions }: Group) {
  const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: all, preferredVersion: all[0] }
}

/** `/api`. */
export const coreVersions = {
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [],
}

/** `/api/v1` or `/apis/<group>/<version>`, undefined where there is none. */
export function resourceList(
  registry: Registry,
  name: string,
  version: string,
): object | undefined {
  const all = inGroup(registry, name, version)
  const [first] = all
  if (first === undefined) return undefined
  return {
    ...{ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(first) },
    resources: all.flatMap((resource) => [
      entry(resource),
      ...resource.subresources.map((sub) => subEntry(resource, sub)),
    ]),
  }
}

function entry({ plural, singular, namespaced, kind, verbs, shortNames, categories }: Resource) {
  return {
    ...{ name: plural, singularName: singular, namespaced, kind, verbs },
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  }
}

function subEntry({ plural, namespaced, kind }: Resource, sub: string) {
  const verbs = verbsOfSubresources[sub] ?? []
  return {
    ...{ name: `${plural}/${sub}`, singularName: '', namespaced },
    ...(kindsOfSubresources[sub] ?? { kind }),
    verbs,
  }
}

/** The aggregated form of all of `/api` or `/apis`, which kubectl asks for first. */
export function aggregated(registry: Registry, core: boolean): object {
  const all = core ? [{ name: '', versions: ['v1'] }] : groups(registry)
  return {
    ...{ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {} },
    items: all.map(({ name, versions }) => ({
      metadata: { ...(name !== '' && { name }), creationTimestamp: null },
      versions: versions.map((version) => ({
        version,
        resources: inGroup(registry, name, version).map(aggregatedEntry),
        freshness: 'Current',
      })),
    })),
  }
}

function aggregatedEntry(resource: Resource): object {
  const { group: name, version, plural, singular, namespaced, kind, verbs } = resource
  const { shortNames, categories, subresources } = resource
  return {
    ...{ resource: plural, responseKind: { group: name, version, kind } },
    ...{ scope: namespaced ? 'Namespaced' : 'Cluster', singularResource: singular, verbs },
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(subresources.length > 0 && {
      subresources: subresources.map((sub) => ({
        subresource: sub,
        responseKind: kindsOfSubresources[sub] ?? { group: name, version, kind },
        verbs: verbsOfSubresources[sub] ?? [],
      })),
    }),
  }
}

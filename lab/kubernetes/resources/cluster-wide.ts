import { at, column, listAt, mapAt, numberAt, selectorOf, textAt } from './columns.ts'
import { inGroup } from './describe.ts'
import type { Resource } from './resource.ts'

const networking = inGroup('networking.k8s.io', 'v1')
const admission = inGroup('admissionregistration.k8s.io', 'v1')

const unbounded = (value: unknown) => (value === undefined ? 'N/A' : String(value))

function versionsOf(crd: unknown): string {
  const shown = listAt(crd, 'spec.versions').flatMap((version) => {
    if (at(version, 'served') !== true && at(version, 'storage') !== true) return []
    return `${textAt(version, 'name')}${at(version, 'storage') === true ? '(storage)' : ''}`
  })
  return shown.join(',')
}

function hostsOf(ingress: unknown): string {
  const hosts = listAt(ingress, 'spec.rules').flatMap((rule) => textAt(rule, 'host') || [])
  return (
    hosts.slice(0, 3).join(',') + (hosts.length > 3 ? ` + ${hosts.length - 3} more...` : '') || '*'
  )
}

function addressesOf(ingress: unknown): string {
  const found = listAt(ingress, 'status.loadBalancer.ingress')
  return found.map((one) => textAt(one, 'ip') || textAt(one, 'hostname')).join(',')
}

/** What protects, connects, ranks and guards; each of it plain data to the lab. */
export const otherKinds: readonly Resource[] = [
  inGroup('policy', 'v1')('PodDisruptionBudget', {
    generation: true,
    shortNames: ['pdb'],
    subresources: ['status'],
    columns: [
      column('Min Available', (pdb) => unbounded(at(pdb, 'spec.minAvailable'))),
      column('Max Unavailable', (pdb) => unbounded(at(pdb, 'spec.maxUnavailable'))),
      column('Allowed Disruptions', (pdb) => numberAt(pdb, 'status.disruptionsAllowed'), {
        type: 'integer',
      }),
    ],
  }),
  inGroup('coordination.k8s.io', 'v1')('Lease', {
    columns: [column('Holder', (lease) => textAt(lease, 'spec.holderIdentity'))],
  }),
  inGroup('scheduling.k8s.io', 'v1')('PriorityClass', {
    ...{ cluster: true, plural: 'priorityclasses', shortNames: ['pc'] },
    columns: [
      column('Value', (one) => numberAt(one, 'value'), { type: 'integer' }),
      column('Global-Default', (one) => at(one, 'globalDefault') === true, { type: 'boolean' }),
    ],
  }),
  inGroup('storage.k8s.io', 'v1')('StorageClass', {
    ...{ cluster: true, plural: 'storageclasses', shortNames: ['sc'] },
    columns: [column('Provisioner', (one) => textAt(one, 'provisioner'))],
  }),
  inGroup('discovery.k8s.io', 'v1')('EndpointSlice', {
    columns: [
      column('AddressType', (slice) => textAt(slice, 'addressType')),
      column(
        'Endpoints',
        (slice) =>
          listAt(slice, 'endpoints')
            .flatMap((one) => listAt(one, 'addresses'))
            .join(',') || '<unset>',
      ),
    ],
  }),
  networking('NetworkPolicy', {
    generation: true,
    ...{ plural: 'networkpolicies', shortNames: ['netpol'] },
    columns: [column('Pod-Selector', (one) => selectorOf(mapAt(one, 'spec.podSelector')))],
  }),
  networking('Ingress', {
    generation: true,
    ...{ plural: 'ingresses', shortNames: ['ing'], subresources: ['status'] },
    strategy: { firstStatus: { loadBalancer: {} } },
    columns: [
      column('Class', (one) => textAt(one, 'spec.ingressClassName', '<none>')),
      column('Hosts', hostsOf),
      column('Address', addressesOf),
      column('Ports', (one) => (listAt(one, 'spec.tls').length > 0 ? '80, 443' : '80')),
    ],
  }),
  admission('ValidatingAdmissionPolicy', {
    generation: true,
    ...{ cluster: true, plural: 'validatingadmissionpolicies', subresources: ['status'] },
    columns: [
      column('Validations', (policy) => listAt(policy, 'spec.validations').length, {
        type: 'integer',
      }),
      column('ParamKind', (policy) => {
        const kind = textAt(policy, 'spec.paramKind.kind')
        return kind === '' ? '<unset>' : `${textAt(policy, 'spec.paramKind.apiVersion')}/${kind}`
      }),
    ],
  }),
  admission('ValidatingAdmissionPolicyBinding', {
    generation: true,
    cluster: true,
    columns: [
      column('PolicyName', (binding) => textAt(binding, 'spec.policyName')),
      column('ParamRef', (binding) => textAt(binding, 'spec.paramRef.name', '<unset>')),
    ],
  }),
  inGroup('apiextensions.k8s.io', 'v1')('CustomResourceDefinition', {
    generation: true,
    ...{ cluster: true, shortNames: ['crd', 'crds'], categories: ['api-extensions'] },
    subresources: ['status'],
    table: [
      column('Name', ({ metadata }) => metadata.name ?? ''),
      column('Scope', (crd) => textAt(crd, 'spec.scope')),
      column('Versions', versionsOf),
      column('Created At', ({ metadata }) => metadata.creationTimestamp ?? ''),
    ],
  }),
]

import { at, column, listAt, mapAt, numberAt, selectorOf, textAt } from './columns.ts'
import { inGroup } from './describe.ts'
import type { Resource } from './resource.ts'

const networking = inGroup('networking.k8s.io', 'v1')
const admission = inGroup('admissionregistration.k8s.io', 'v1')

const unbounded = (value: unknown) => (value === undefined ? 'N/A' : String(value))

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
    columns: [column('Class', (one) => textAt(one, 'spec.ingressClassName', '<none>'))],
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
      column('Created At', ({ metadata }) => metadata.creationTimestamp ?? ''),
    ],
  }),
]

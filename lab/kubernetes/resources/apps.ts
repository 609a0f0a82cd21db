import {
  ageColumn,
  column,
  mapAt,
  nameColumn,
  numberAt,
  selectorOf,
  templateColumns,
  textAt,
  wide,
} from './columns.ts'
import { inGroup } from './describe.ts'
import type { Column, Resource } from './resource.ts'

const kind = inGroup('apps', 'v1')
const template = templateColumns('spec.template.spec')
const selector = wide('Selector', (object) => selectorOf(mapAt(object, 'spec.selector')))
const figure = (name: string, path: string): Column =>
  column(name, (object) => numberAt(object, path), { type: 'integer' })
const parts = { categories: ['all'], subresources: ['status', 'scale'] } as const

/** Workloads that run on and on. */
export const appsKinds: readonly Resource[] = [
  kind('Deployment', {
    generation: true,
    ...parts,
    shortNames: ['deploy'],
    table: [
      nameColumn,
      column(
        'Ready',
        (d) => `${numberAt(d, 'status.readyReplicas')}/${numberAt(d, 'spec.replicas', 1)}`,
      ),
      figure('Up-to-date', 'status.updatedReplicas'),
      figure('Available', 'status.availableReplicas'),
      ageColumn,
      ...template,
      selector,
    ],
  }),
  kind('ReplicaSet', {
    generation: true,
    ...parts,
    shortNames: ['rs'],
    table: [
      nameColumn,
      figure('Desired', 'spec.replicas'),
      figure('Current', 'status.replicas'),
      figure('Ready', 'status.readyReplicas'),
      ageColumn,
      ...template,
      selector,
    ],
  }),
  kind('StatefulSet', {
    generation: true,
    ...parts,
    shortNames: ['sts'],
    table: [
      nameColumn,
      column(
        'Ready',
        (s) => `${numberAt(s, 'status.readyReplicas')}/${numberAt(s, 'spec.replicas', 1)}`,
      ),
      ageColumn,
      ...template,
    ],
  }),
  kind('DaemonSet', {
    generation: true,
    categories: ['all'],
    shortNames: ['ds'],
    subresources: ['status'],
    table: [
      nameColumn,
      figure('Desired', 'status.desiredNumberScheduled'),
      figure('Current', 'status.currentNumberScheduled'),
      figure('Ready', 'status.numberReady'),
      figure('Up-to-date', 'status.updatedNumberScheduled'),
      figure('Available', 'status.numberAvailable'),
      ageColumn,
      ...template,
      selector,
    ],
  }),
  kind('ControllerRevision', {
    columns: [
      column('Controller', ({ metadata: { ownerReferences = [] } }) => {
        const owner = ownerReferences.find(({ controller }) => controller === true)
        return owner === undefined ? '<none>' : `${owner.kind.toLowerCase()}.apps/${owner.name}`
      }),
      column('Revision', (revision) => textAt(revision, 'revision'), { type: 'string' }),
    ],
  }),
]

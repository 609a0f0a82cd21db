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
import { daemonSetSpec, deploymentSpec, replicaSetSpec, statefulSetSpec } from './defaults.ts'
import { inGroup, withSpec } from './describe.ts'
import type { Column, Resource, Strategy } from './resource.ts'

const kind = inGroup('apps', 'v1')
const template = templateColumns('spec.template.spec')
const selector = wide('Selector', (object) => selectorOf(mapAt(object, 'spec.selector')))
const figure = (name: string, path: string): Column =>
  column(name, (object) => numberAt(object, path), { type: 'integer' })
const parts = { categories: ['all'], subresources: ['status', 'scale'] } as const

const scheduled = withSpec(daemonSetSpec, {
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
})
const generationOfTemplate = 'deprecated.daemonset.template.generation'
const daemonSets: Strategy = {
  ...scheduled,
  withDefaults(object) {
    const { metadata, ...rest } = scheduled.withDefaults?.(object) ?? object
    const annotations = { [generationOfTemplate]: '1', ...metadata.annotations }
    return { ...rest, metadata: { ...metadata, annotations } }
  },
}

/** Workloads that run on and on. */
export const appsKinds: readonly Resource[] = [
  kind('Deployment', {
    strategy: withSpec(deploymentSpec),
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
    strategy: withSpec(replicaSetSpec, { replicas: 0 }),
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
    strategy: withSpec(statefulSetSpec, { availableReplicas: 0, replicas: 0 }),
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
    strategy: daemonSets,
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

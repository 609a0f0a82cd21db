import type { KubeObject } from '../objects.ts'
import {
  ageColumn,
  ageOf,
  at,
  column,
  durationOf,
  listAt,
  mapAt,
  nameColumn,
  numberAt,
  selectorOf,
  templateColumns,
  textAt,
  wide,
} from './columns.ts'
import { cronJobSpec, jobSpec } from './defaults.ts'
import { inGroup, withSpec } from './describe.ts'
import type { Resource, Strategy } from './resource.ts'

const kind = inGroup('batch', 'v1')

function jobStatus(job: KubeObject): string {
  const holds = (type: string) =>
    listAt(job, 'status.conditions').some(
      (one) => textAt(one, 'type') === type && textAt(one, 'status') === 'True',
    )
  if (holds('Complete')) return 'Complete'
  if (holds('Failed')) return 'Failed'
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (holds('Suspended')) return 'Suspended'
  return holds('FailureTarget')
    ? 'FailureTarget'
    : holds('SuccessCriteriaMet')
      ? 'SuccessCriteriaMet'
      : 'Running'
}

function completions(job: KubeObject): string {
  const done = numberAt(job, 'status.succeeded')
  const wanted = at(job, 'spec.completions')
  if (typeof wanted === 'number') return `${done}/${wanted}`
  const parallel = numberAt(job, 'spec.parallelism')
  return parallel > 1 ? `${done}/1 of ${parallel}` : `${done}/1`
}

function jobDuration(job: KubeObject, now: number): string {
  const began = Date.parse(textAt(job, 'status.startTime'))
  if (Number.isNaN(began)) return ''
  const ended = Date.parse(textAt(job, 'status.completionTime'))
  return durationOf((Number.isNaN(ended) ? now : ended) - began)
}

const jobs: Strategy = {
  firstStatus: {},
  withDefaults(object) {
    const { name = '', uid = '' } = object.metadata
    const spec = jobSpec(object.spec, name, uid)
    const labels = mapAt(spec, 'template.metadata.labels') as Readonly<Record<string, string>>
    const own = object.metadata.labels ?? {}
    const metadata = Object.keys(own).length > 0 ? object.metadata : { ...object.metadata, labels }
    return { ...object, metadata, spec }
  },
}

/** Workloads that end. */
export const batchKinds: readonly Resource[] = [
  kind('Job', {
    strategy: jobs,
    generation: true,
    categories: ['all'],
    subresources: ['status'],
    table: [
      nameColumn,
      column('Status', jobStatus),
      column('Completions', completions),
      column('Duration', jobDuration),
      ageColumn,
      ...templateColumns('spec.template.spec'),
      wide('Selector', (job) => selectorOf(mapAt(job, 'spec.selector'))),
    ],
  }),
  kind('CronJob', {
    strategy: withSpec(cronJobSpec),
    generation: true,
    categories: ['all'],
    shortNames: ['cj'],
    subresources: ['status'],
    table: [
      nameColumn,
      column('Schedule', (job) => textAt(job, 'spec.schedule')),
      column('Timezone', (job) => textAt(job, 'spec.timeZone', '<none>')),
      column('Suspend', (job) => (at(job, 'spec.suspend') === true ? 'True' : 'False')),
      column('Active', (job) => listAt(job, 'status.active').length, { type: 'integer' }),
      column('Last Schedule', (job, now) => {
        const last = textAt(job, 'status.lastScheduleTime')
        return last === '' ? '<none>' : ageOf(last, now)
      }),
      ageColumn,
      ...templateColumns('spec.jobTemplate.spec.template.spec'),
      wide('Selector', (job) => selectorOf(mapAt(job, 'spec.jobTemplate.spec.selector'))),
    ],
  }),
]

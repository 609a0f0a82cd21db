import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { at, listAt, mapAt, numberAt, textAt } from '../resources/columns.ts'
import { referenceTo } from './owned.ts'
import { isActive, isReady } from './pods.ts'

const indexKey = 'batch.kubernetes.io/job-completion-index'

/** How a Job's Pods stand. */
export interface JobPods {
  readonly active: readonly KubeObject[]
  readonly ready: number
  /** Asked to go, and not ended yet. */
  readonly terminating: number
  readonly failed: readonly KubeObject[]
  readonly succeeded: readonly KubeObject[]
  /** Restarts of containers in Pods that start them again themselves. */
  readonly restarts: number
}

export function jobPods(own: readonly KubeObject[]): JobPods {
  const of = (phase: string) => own.filter((pod) => textAt(pod, 'status.phase') === phase)
  const active = own.filter(isActive)
  const ended = ['Succeeded', 'Failed']
  return {
    active,
    ready: active.filter(isReady).length,
    terminating: own.filter(
      (pod) =>
        pod.metadata.deletionTimestamp !== undefined &&
        !ended.includes(textAt(pod, 'status.phase')),
    ).length,
    ...{ failed: of('Failed'), succeeded: of('Succeeded') },
    restarts: active
      .flatMap((pod) => listAt(pod, 'status.containerStatuses'))
      .reduce<number>((sum, one) => sum + numberAt(one, 'restartCount'), 0),
  }
}

export function isIndexed(job: KubeObject): boolean {
  return textAt(job, 'spec.completionMode') === 'Indexed'
}

export function indexOf({ metadata }: KubeObject): number {
  return Number(metadata.annotations?.[indexKey] ?? Number.NaN)
}

/** One more Pod; of an indexed Job, that of this index. */
export function podOf(job: KubeObject, index: number | undefined): KubeObject {
  const { name = '' } = job.metadata
  const template = mapAt(job, 'spec.template')
  const { labels, annotations } = mapAt(template, 'metadata')
  const own = index === undefined ? {} : { [indexKey]: String(index) }
  const spec = mapAt(template, 'spec')
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      generateName: index === undefined ? `${name}-` : `${name}-${index}-`,
      labels: { ...(isRecord(labels) ? (labels as Record<string, string>) : {}), ...own },
      annotations: {
        ...(isRecord(annotations) ? (annotations as Record<string, string>) : {}),
        ...own,
      },
      ownerReferences: [referenceTo(job)],
    },
    spec: index === undefined ? spec : withIndex(spec, name, index),
  }
}

function withIndex(spec: Readonly<Record<string, unknown>>, name: string, index: number) {
  const variable = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } },
  }
  const containers = listAt(spec, 'containers')
    .filter(isRecord)
    .map((one) => ({ ...one, env: [...listAt(one, 'env'), variable] }))
  return { ...spec, hostname: `${name}-${index}`, containers }
}

/** Indexes as a Job's status tells them, such as `0-2,5`. */
export function indexesIn(text: string): readonly number[] {
  if (text === '') return []
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

export function indexText(indexes: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const index of [...new Set(indexes)].sort((a, b) => a - b)) {
    const range = ranges.at(-1)
    if (range !== undefined && index === range[1] + 1) range[1] = index
    else ranges.push([index, index])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}

/** How many Pods have to succeed; undefined where the first that does ends it. */
export function completionsOf(job: KubeObject): number | undefined {
  const value = at(job, 'spec.completions')
  return typeof value === 'number' ? value : undefined
}

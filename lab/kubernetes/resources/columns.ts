import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import type { Column } from './resource.ts'

type Cell = Column['cell']

const about = {
  name: 'Name must be unique within a namespace.',
  age: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
} as const

/** A column of one word each; `-o wide` alone shows those that are `wide`. */
export function column(
  name: string,
  cell: Cell,
  options: Partial<Omit<Column, 'name' | 'cell'>> = {},
): Column {
  return { name, type: 'string', description: name, priority: 0, ...options, cell }
}

export function wide(name: string, cell: Cell, type: Column['type'] = 'string'): Column {
  return column(name, cell, { priority: 1, type })
}

export const nameColumn = column('Name', ({ metadata }) => metadata.name ?? '', {
  description: about.name,
})

export const ageColumn = column(
  'Age',
  ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
  {
    description: about.age,
  },
)

/** The value at a path such as `status.phase`, undefined where nothing is. */
export function at(object: unknown, path: string): unknown {
  let value = object
  for (const part of path.split('.')) {
    if (!isRecord(value)) return undefined
    value = value[part]
  }
  return value
}

export function textAt(object: unknown, path: string, otherwise = ''): string {
  const value = at(object, path)
  return value === undefined || value === null || value === '' ? otherwise : String(value)
}

export function numberAt(object: unknown, path: string, otherwise = 0): number {
  const value = at(object, path)
  return typeof value === 'number' ? value : otherwise
}

export function listAt(object: unknown, path: string): readonly unknown[] {
  const value = at(object, path)
  return Array.isArray(value) ? value : []
}

export function mapAt(object: unknown, path: string): Readonly<Record<string, unknown>> {
  const value = at(object, path)
  return isRecord(value) ? value : {}
}

/** The condition of that type in an object's status. */
export function conditionOf(object: unknown, type: string): unknown {
  return listAt(object, 'status.conditions').find((one) => textAt(one, 'type') === type)
}

/** Whether the condition of this type is there and `True`. */
export function holds(object: unknown, type: string): boolean {
  return textAt(conditionOf(object, type), 'status') === 'True'
}

/** How long ago, in kubectl's words: `5s`, `3m10s`, `2d4h`; `<unknown>` where no time is. */
export function ageOf(timestamp: string | null | undefined, now: number): string {
  const then = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  return Number.isNaN(then) ? '<unknown>' : durationOf(now - then)
}

/** A duration as kubectl shows it, ever coarser. */
export function durationOf(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (days < 8) return two(days, 'd', hours % 24, 'h')
  if (days < 365 * 2) return `${days}d`
  const years = Math.trunc(days / 365)
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`
}

function two(first: number, unit: string, second: number, lesser: string): string {
  return second === 0 ? `${first}${unit}` : `${first}${unit}${second}${lesser}`
}

/** A selector as kubectl shows it: `app=web,tier in (a,b)`; `<none>` for an empty one. */
export function selectorOf(selector: unknown): string {
  const labels = Object.entries(mapAt(selector, 'matchLabels')).map(
    ([key, value]) => `${key}=${value}`,
  )
  const expressions = listAt(selector, 'matchExpressions').map((expression) => {
    const key = textAt(expression, 'key')
    const values = listAt(expression, 'values').join(',')
    switch (textAt(expression, 'operator')) {
      case 'In':
        return `${key} in (${values})`
      case 'NotIn':
        return `${key} notin (${values})`
      case 'Exists':
        return key
      default:
        return `!${key}`
    }
  })
  return [...labels.sort(), ...expressions].join(',') || '<none>'
}

export function labelsOf(labels: Readonly<Record<string, unknown>>): string {
  return (
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(',') || '<none>'
  )
}

/** The columns `CONTAINERS` and `IMAGES` of what has a Pod template at `path`. */
export function templateColumns(path: string): readonly Column[] {
  const of =
    (field: string): Cell =>
    (object: KubeObject) =>
      listAt(object, `${path}.containers`)
        .map((container) => textAt(container, field))
        .join(',')
  return [wide('Containers', of('name')), wide('Images', of('image'))]
}

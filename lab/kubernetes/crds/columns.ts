import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import type { Column } from '../resources/resource.ts'
import { age } from './age.ts'
import { jsonPath } from './json-path.ts'

const types: readonly Column['type'][] = ['string', 'integer', 'boolean', 'number', 'date']

const name: Column = {
  name: 'Name',
  type: 'string',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  priority: 0,
  cell: ({ metadata }) => metadata.name ?? null,
}

const created = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** The columns of one version of a custom kind: its name, then what its definition says, or its age. */
export function columnsOf(version: Readonly<Record<string, unknown>>): readonly Column[] {
  const { additionalPrinterColumns: written } = version
  const columns: readonly unknown[] =
    Array.isArray(written) && written.length > 0 ? written : [created]
  return [name, ...columns.filter(isRecord).map(columnOf)]
}

function columnOf(raw: Readonly<Record<string, unknown>>): Column {
  const find = jsonPath(String(raw.jsonPath))
  const type = types.find((one) => one === raw.type) ?? 'string'
  return {
    name: String(raw.name),
    type,
    description: typeof raw.description === 'string' ? raw.description : descriptionOf(raw),
    priority: typeof raw.priority === 'number' ? raw.priority : 0,
    cell: (object: KubeObject, now) => {
      const [first] = find(object)
      return first === undefined ? null : cellOf(first, type, now)
    },
  }
}

function descriptionOf(raw: Readonly<Record<string, unknown>>): string {
  return `Custom resource definition column (in JSONPath format): ${String(raw.jsonPath)}`
}

function cellOf(value: unknown, type: Column['type'], now: number): ReturnType<Column['cell']> {
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? age(value, now) : null
    default:
      return typeof value === 'string' ? value : JSON.stringify(value)
  }
}

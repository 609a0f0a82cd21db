import type { KubeObject } from '../objects.ts'
import { textAt } from '../resources/columns.ts'
import { type ApiError, badRequest } from './status.ts'

export type Selects = (object: KubeObject) => boolean

/** Fields that can be selected by beside name and namespace, by collection. */
const selectable: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'status.phase',
    'status.podIP',
  ],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  namespaces: ['status.phase'],
  nodes: ['spec.unschedulable'],
  secrets: ['type'],
  'jobs.batch': ['status.successful'],
  'replicasets.apps': ['status.replicas'],
}

/**
 * What `labelSelector` and `fieldSelector` of a query let through.
 * @throws ApiError 400 for what does not read
 */
export function selection(collection: string, query: URLSearchParams): Selects {
  const labels = labelTerms(query.get('labelSelector') ?? '')
  const fields = fieldTerms(collection, query.get('fieldSelector') ?? '')
  if (labels.length + fields.length === 0) return () => true
  return (object) => [...labels, ...fields].every((holds) => holds(object))
}

const label = '[A-Za-z0-9_./-]+'
const sets = new RegExp(String.raw`^(${label})\s+(in|notin)\s*\(([^()]*)\)$`)
const equals = new RegExp(String.raw`^(${label})\s*(==|=|!=)\s*([A-Za-z0-9_.-]*)$`)
const exists = new RegExp(String.raw`^(!?)\s*(${label})$`)

function labelTerms(text: string): Selects[] {
  return split(text).map((term) => labelTerm(term, text))
}

function labelTerm(term: string, whole: string): Selects {
  const of = (key: string) => (object: KubeObject) => object.metadata.labels?.[key]
  const set = sets.exec(term)
  if (set !== null) {
    const [, key = '', how, list = ''] = set
    const values = new Set(list.split(',').map((value) => value.trim()))
    const value = of(key)
    return how === 'in'
      ? (object) => values.has(value(object) ?? '\0')
      : (object) => !values.has(value(object) ?? '\0')
  }
  const equal = equals.exec(term)
  if (equal !== null) {
    const [, key = '', how, wanted] = equal
    const value = of(key)
    return how === '!='
      ? (object) => value(object) !== wanted
      : (object) => value(object) === wanted
  }
  const exist = exists.exec(term)
  if (exist !== null) {
    const [, not, key = ''] = exist
    const value = of(key)
    return (object) => (value(object) !== undefined) === (not === '')
  }
  throw badRequest(`unable to parse requirement: \`${term}\` of the label selector \`${whole}\``)
}

/** Terms are separated by commas, but not by those within parentheses. */
function split(text: string): readonly string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '')
}

function fieldTerms(collection: string, text: string): Selects[] {
  return split(text).map((term) => {
    const [, field = '', how, wanted = ''] = /^([^=!]+?)(==|=|!=)(.*)$/.exec(term) ?? []
    if (how === undefined) throw badRequest(`invalid field selector: ${text}`)
    const own = selectable[collection]
    if (!common.includes(field) && own?.includes(field) !== true) throw unknownField(field, own)
    const value = (object: KubeObject) => fieldOf(object, field)
    return how === '!='
      ? (object) => value(object) !== wanted
      : (object) => value(object) === wanted
  })
}

const common = ['metadata.name', 'metadata.namespace']

function unknownField(field: string, own: readonly string[] | undefined): ApiError {
  if (own !== undefined) return badRequest(`field label not supported: ${field}`)
  const known = common.map((one) => `"${one}"`).join(', ')
  return badRequest(`"${field}" is not a known field selector: only ${known}`)
}

function fieldOf(object: KubeObject, field: string): string {
  const found = textAt(object, field === 'source' ? 'source.component' : field)
  return field === 'spec.unschedulable' && found === '' ? 'false' : found
}

import { isRecord } from '@jackstay/kube/resources'

/** What the API server fills in where a manifest says nothing, and which changes nothing. */
const filledIn: Readonly<Record<string, unknown>> = {
  matchPolicy: 'Equivalent',
  scope: '*',
  conversion: { strategy: 'None' },
}
/** Not the chart's: kept by the API server, and harmless whatever they hold. */
const notOurs: readonly string[] = ['apiVersion', 'kind', 'metadata', 'status']
/** By kind, what others fill in. */
const others: Readonly<Record<string, readonly string[]>> = {
  Namespace: ['spec'],
  ServiceAccount: ['secrets', 'imagePullSecrets'],
}

type Object = Readonly<Record<string, unknown>>

/**
 * Where an object is not what the chart says: a path and what is there, or undefined. What is missing,
 * other or added counts, for one more selector is enough to have a policy see nothing.
 */
export function deviation(wanted: Object, found: Object): string | undefined {
  const ignored = [...notOurs, ...(others[String(wanted.kind)] ?? [])]
  const [mine, theirs] = [without(wanted, ignored), without(found, ignored)]
  const labels = (of: Object) => (isRecord(of.metadata) ? of.metadata.labels : undefined)
  return (
    missingLabel(labels(wanted), labels(found)) ??
    aggregated(labels(wanted), labels(found)) ??
    differs('', mine, theirs)
  )
}

function without(object: Object, keys: readonly string[]): Object {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}

/** A label that puts a role's rights into other roles gives them to whoever holds those. */
function aggregated(wanted: unknown, found: unknown): string | undefined {
  const known = isRecord(wanted) ? wanted : {}
  const added = Object.keys(isRecord(found) ? found : {}).find(
    (key) => key.startsWith('rbac.authorization.k8s.io/') && !Object.hasOwn(known, key),
  )
  return added && `its label ${added} gives its rights to other roles`
}

/** Others may add labels, as they do to namespaces. */
function missingLabel(wanted: unknown, found: unknown): string | undefined {
  for (const [key, value] of Object.entries(isRecord(wanted) ? wanted : {})) {
    if (!isRecord(found) || found[key] !== value)
      return `its label ${key} is not \`${String(value)}\``
  }
  return undefined
}

function differs(path: string, wanted: unknown, found: unknown): string | undefined {
  if (Array.isArray(wanted) && Array.isArray(found)) return listDiffers(path, wanted, found)
  if (isRecord(wanted) && isRecord(found)) return recordDiffers(path, wanted, found)
  return wanted === found || (isEmpty(wanted) && isEmpty(found)) ? undefined : `${path} differs`
}

function listDiffers(
  path: string,
  wanted: readonly unknown[],
  found: readonly unknown[],
): string | undefined {
  if (wanted.length !== found.length) {
    return `${path} has ${found.length} entries, not ${wanted.length}`
  }
  for (const [i, one] of wanted.entries()) {
    const why = differs(`${path}[${i}]`, one, found[i])
    if (why !== undefined) return why
  }
  return undefined
}

function recordDiffers(path: string, wanted: Object, found: Object): string | undefined {
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  for (const key of Object.keys(wanted)) {
    const why = differs(at(key), wanted[key], found[key])
    if (why !== undefined) return why
  }
  const added = Object.keys(found).find(
    (key) => !Object.hasOwn(wanted, key) && !isEmpty(found[key]) && !isFilledIn(key, found[key]),
  )
  return added === undefined ? undefined : `${at(added)} was added`
}

function isFilledIn(key: string, value: unknown): boolean {
  // the list kind of a CustomResourceDefinition is named after its kind
  if (key === 'listKind') return true
  return Object.hasOwn(filledIn, key) && differs('', filledIn[key], value) === undefined
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (isRecord(value)) return Object.keys(value).length === 0
  return value === undefined || value === null || value === '' || value === false || value === 0
}

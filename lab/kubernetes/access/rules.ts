import type { PolicyRule } from '@jackstay/contract/rbac'
import { quote } from '../status.ts'
import type { Attributes } from './attributes.ts'

/** Whether one rule grants a request. */
export function grants(rule: PolicyRule, asked: Attributes): boolean {
  if (!hasOrAll(rule.verbs, asked.verb)) return false
  if ('path' in asked) return rule.nonResourceURLs.some((url) => coversPath(url, asked.path))
  const { group, resource, subresource, name } = asked
  return (
    hasOrAll(rule.apiGroups, group) &&
    rule.resources.some((one) => coversResource(one, resource, subresource)) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(name))
  )
}

/** What of `wanted` no rule of `held` covers, each with one verb, resource and name. */
export function missing(
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): readonly PolicyRule[] {
  return wanted.flatMap(single).filter((one) => !held.some((rule) => covers(rule, one)))
}

/** As the API server writes a rule in a refusal. */
export function ruleText(rule: PolicyRule): string {
  const parts = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ] as const
  const named = parts.filter(([, values]) => values.length > 0)
  return `{${named.map(([name, values]) => `${name}:${listText(values)}`).join(', ')}}`
}

/** As Go prints a list of texts. */
export function listText(values: readonly string[]): string {
  return `[${values.map(quote).join(' ')}]`
}

/** Rules of one verb each, those for the same resource and name put together. */
export function compact(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const together = new Map<string, PolicyRule>()
  const onPaths: PolicyRule[] = []
  for (const rule of rules) {
    const { verbs, ...target } = rule
    if (rule.nonResourceURLs.length > 0) onPaths.push(rule)
    else {
      const key = JSON.stringify(target)
      const before = together.get(key)?.verbs ?? []
      together.set(key, { ...rule, verbs: [...before, ...verbs] })
    }
  }
  return [...onPaths, ...together.values()]
}

function hasOrAll(values: readonly string[], wanted: string): boolean {
  return values.includes('*') || values.includes(wanted)
}

function coversPath(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true
  return pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''))
}

function coversResource(pattern: string, resource: string, subresource: string): boolean {
  if (pattern === '*') return true
  if (subresource === '') return pattern === resource
  return pattern === `${resource}/${subresource}` || pattern === `*/${subresource}`
}

function single(rule: PolicyRule): PolicyRule[] {
  const names = rule.resourceNames.length === 0 ? [[]] : rule.resourceNames.map((name) => [name])
  const nothing = { apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] }
  const onResources = rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) =>
      rule.verbs.flatMap((verb) =>
        names.map((resourceNames) => ({
          ...nothing,
          apiGroups: [group],
          resources: [resource],
          verbs: [verb],
          resourceNames,
        })),
      ),
    ),
  )
  const onPaths = rule.nonResourceURLs.flatMap((url) =>
    rule.verbs.map((verb) => ({ ...nothing, nonResourceURLs: [url], verbs: [verb] })),
  )
  return [...onResources, ...onPaths]
}

/** Whether `held` grants all that `one` does, which has one verb and one resource or path. */
function covers(held: PolicyRule, one: PolicyRule): boolean {
  return (
    one.verbs.every((verb) => hasOrAll(held.verbs, verb)) &&
    one.apiGroups.every((group) => hasOrAll(held.apiGroups, group)) &&
    one.resources.every((resource) => {
      const [name = '', subresource = ''] = resource.split(/\/(.*)/s)
      return held.resources.some((pattern) => coversResource(pattern, name, subresource))
    }) &&
    one.nonResourceURLs.every((url) => held.nonResourceURLs.some((own) => coversPath(own, url))) &&
    (held.resourceNames.length === 0 ||
      (one.resourceNames.length > 0 &&
        one.resourceNames.every((name) => held.resourceNames.includes(name))))
  )
}

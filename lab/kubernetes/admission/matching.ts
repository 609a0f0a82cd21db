import { type LabelSelector, selects } from '@jackstay/contract/label-selector'
import type { KubeObject } from '../objects.ts'
import type { MatchConstraints, Rule } from './policy-schema.ts'
import type { AdmissionRequest, Surroundings } from './request.ts'

type Labels = Readonly<Record<string, string>>

/** Policies never judge what could end them, nor questions that change nothing. */
const exempt: Readonly<Record<string, readonly string[]>> = {
  'admissionregistration.k8s.io': [
    'validatingadmissionpolicies',
    'validatingadmissionpolicybindings',
    'mutatingadmissionpolicies',
    'mutatingadmissionpolicybindings',
  ],
  'authentication.k8s.io': ['tokenreviews', 'selfsubjectreviews'],
  'authorization.k8s.io': [
    'localsubjectaccessreviews',
    'selfsubjectaccessreviews',
    'selfsubjectrulesreviews',
    'subjectaccessreviews',
  ],
}

export function isExempt({ resource }: AdmissionRequest): boolean {
  return exempt[resource.group]?.includes(resource.resource) ?? false
}

/** Whether a policy, or a binding that narrows it, is about a request. */
export function matchesConstraints(
  constraints: MatchConstraints,
  request: AdmissionRequest,
  surroundings: Surroundings,
): boolean {
  const { resourceRules, excludeResourceRules = [] } = constraints
  if (excludeResourceRules.some((rule) => matchesRule(rule, request))) return false
  if (resourceRules !== undefined && resourceRules.length > 0) {
    if (!resourceRules.some((rule) => matchesRule(rule, request))) return false
  }
  return (
    matchesNamespace(constraints.namespaceSelector, request, surroundings) &&
    matchesObject(constraints.objectSelector, request)
  )
}

function matchesRule(rule: Rule, request: AdmissionRequest): boolean {
  const { operation, resource, subResource } = request
  const any = (values: readonly string[], value: string) =>
    values.includes('*') || values.includes(value)
  return (
    any(rule.operations, operation) &&
    any(rule.apiGroups, resource.group) &&
    any(rule.apiVersions, resource.version) &&
    rule.resources.some((written) => matchesResource(written, resource.resource, subResource)) &&
    matchesScope(rule.scope, request) &&
    matchesName(rule.resourceNames, request)
  )
}

function matchesResource(written: string, resource: string, subResource: string): boolean {
  const [of = '', sub = ''] = written.split('/')
  return (of === '*' || of === resource) && (sub === '*' || sub === subResource)
}

function isNamespace({ resource }: AdmissionRequest): boolean {
  return resource.group === '' && resource.resource === 'namespaces'
}

function matchesScope(scope: Rule['scope'], request: AdmissionRequest): boolean {
  if (scope === undefined || scope === '*') return true
  const namespaced = request.namespace !== '' && !isNamespace(request)
  return (scope === 'Namespaced') === namespaced
}

function matchesName(names: readonly string[] | undefined, request: AdmissionRequest): boolean {
  if (names === undefined || names.length === 0) return true
  return names.includes(request.name === '' ? (request.object?.metadata.name ?? '') : request.name)
}

/** What belongs to no namespace is matched by every selector of namespaces, but for namespaces themselves. */
function matchesNamespace(
  selector: LabelSelector | undefined,
  request: AdmissionRequest,
  surroundings: Surroundings,
): boolean {
  if (selector === undefined || selectsAll(selector)) return true
  if (isNamespace(request)) {
    const { operation, object, name } = request
    const fresh = operation === 'CREATE' || operation === 'UPDATE'
    return selects(selector, labelsOf((fresh ? object : surroundings.namespace(name)) ?? null))
  }
  if (request.namespace === '') return true
  return selects(selector, labelsOf(surroundings.namespace(request.namespace) ?? null))
}

function matchesObject(selector: LabelSelector | undefined, request: AdmissionRequest): boolean {
  if (selector === undefined || selectsAll(selector)) return true
  return [request.object, request.oldObject].some(
    (object) => object !== null && selects(selector, labelsOf(object)),
  )
}

function labelsOf(object: KubeObject | null): Labels {
  return object?.metadata?.labels ?? {}
}

function selectsAll({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0
}

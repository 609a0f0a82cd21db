import type { CatalogueEntry, WriteRight } from '@jackstay/actions/action'
import { knownKeyRules, type Manifest } from '@jackstay/contract/crd'
import { dashed } from '@jackstay/contract/executor'
import { group, type Kind, version } from '@jackstay/contract/kinds/kind'
import { executorsNamespace } from '@jackstay/contract/namespaces'
import { metadataFields, specFields } from './target-fields.ts'

export const partOf = { 'app.kubernetes.io/part-of': 'jackstay' }

interface Policy {
  readonly name: string
  readonly rule: Manifest
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[]
  readonly validations: readonly Manifest[]
}

/** A ValidatingAdmissionPolicy with the binding that makes it bite, and its refusal in the audit log. */
export function policyWithBinding({
  name,
  rule,
  matchConditions,
  validations,
}: Policy): Manifest[] {
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name, labels: partOf },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [rule] },
        ...(matchConditions && { matchConditions }),
        validations,
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name, labels: partOf },
      spec: { policyName: name, validationActions: ['Deny', 'Audit'] },
    },
  ]
}

/** Refuses keys that a kind does not know, at every level (T83). */
export function unknownFieldPolicies(kinds: readonly Kind[]): Manifest[] {
  return kinds.flatMap((kind) => {
    const levels = knownKeyRules(kind).map(({ path, expression }) => {
      const where = path === '' ? kind.kind : `${kind.kind}: \`${path}\``
      const field = [kind.singular, ...path.replaceAll('[]', '').split('.')].filter(Boolean)
      return {
        expression,
        reason: 'Invalid',
        message: `${where} has a field that does not exist; see kubectl explain ${field.join('.')}`,
      }
    })
    return policyWithBinding({
      name: `jackstay-unknown-fields-${kind.plural}`,
      rule: {
        apiGroups: [group],
        apiVersions: [version],
        operations: ['CREATE', 'UPDATE'],
        resources: [kind.plural],
      },
      validations: levels,
    })
  })
}

const executorPrefix = `system:serviceaccount:${executorsNamespace}:`

export const isExecutor = {
  name: 'is-executor',
  expression: `request.userInfo.username.startsWith('${executorPrefix}')`,
}

const action = "request.userInfo.?extra[?'jackstay.dev/action'].orValue([])"

/** What an executor may do at all: the catalogue's writes, each in the name of its action. */
export function executorWritePolicy(catalogue: readonly CatalogueEntry[]): Manifest[] {
  const allowed = catalogue.flatMap((entry) =>
    entry.writes.map((write) => `(${matches(write)} && '${entry.name}' in ${action})`),
  )
  return policyWithBinding({
    name: 'jackstay-executor-writes',
    rule: {
      apiGroups: ['*'],
      apiVersions: ['*'],
      operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
      resources: ['*/*'],
    },
    matchConditions: [isExecutor],
    validations: [
      {
        expression: allowed.join(' || '),
        reason: 'Forbidden',
        message:
          'an executor writes only what the catalogue of actions says, in the name of that action',
      },
    ],
  })
}

function matches({ group: apiGroup, resource }: WriteRight): string {
  return [
    "request.operation == 'UPDATE'",
    `request.resource.group == '${apiGroup}'`,
    `request.resource.resource == '${resource}'`,
    "request.?subResource.orValue('') == ''",
  ].join(' && ')
}

/** Holds executors to the fields of their action (T34–T37, T39, T40, T44). */
export function executorFieldPolicies(catalogue: readonly CatalogueEntry[]): Manifest[] {
  return catalogue.flatMap((entry) =>
    entry.writes.flatMap((write) =>
      policyWithBinding({
        name: `jackstay-executor-fields-${dashed(entry.name)}-${write.resource}`,
        rule: {
          apiGroups: [write.group],
          apiVersions: ['*'],
          operations: ['UPDATE'],
          resources: [write.resource],
        },
        matchConditions: [
          isExecutor,
          { name: 'is-action', expression: `'${entry.name}' in ${action}` },
        ],
        validations: [
          ...unchanged(write).map((path) => ({
            expression: `object.${path} == oldObject.${path}`,
            reason: 'Forbidden',
            message: `${entry.name} may change ${write.mayChange.join(', ')} only, not ${path.replaceAll('?', '')}`,
          })),
          ...(['metadata', 'spec'] as const).map((parent) => ({
            expression: othersUnchanged(parent, write),
            reason: 'Forbidden',
            message: `${entry.name} may change ${write.mayChange.join(', ')} only, and no other field of ${parent}`,
          })),
        ],
      }),
    ),
  )
}

/** Paths, presence-sensitive by optional fields, that the write must leave as they are. */
function unchanged({ group: apiGroup, resource, mayChange }: WriteRight): string[] {
  const fields = specFields[`${apiGroup}/${resource}`]
  if (fields === undefined) {
    throw new TypeError(`scripts/generate/target-fields.ts does not list the fields of ${resource}`)
  }
  const all = [
    ...metadataFields.map((field) => ['metadata', field] as const),
    ...fields.map((field) => ['spec', field] as const),
  ]
  return all
    .filter((path) => !mayChange.includes(path.join('.')))
    .map(([parent, field]) => `${parent}.?${field}`)
}

/** Fields of metadata that the server itself moves with every write. */
const moving = ['generation', 'managedFields', 'resourceVersion']

/**
 * The same for every other field, known here or not: a newer Kubernetes may have more. Fields named
 * one by one come first because their refusals say which it was.
 */
function othersUnchanged(parent: 'metadata' | 'spec', { mayChange }: WriteRight): string {
  const allowed = mayChange.flatMap((path) => {
    const [first, field, ...deeper] = path.split('.')
    if (deeper.length > 0) {
      throw new TypeError(`\`${path}\`: only whole fields of spec and metadata can be held apart`)
    }
    return first === parent && field !== undefined ? [field] : []
  })
  const free = [...allowed, ...(parent === 'metadata' ? moving : [])]
  const names = `[${free.map((field) => `'${field}'`).join(', ')}]`
  const [now, old] = [`dyn(object).${parent}`, `dyn(oldObject).${parent}`]
  return [
    `${now}.all(k, k in ${names} || (k in ${old} && ${now}[k] == ${old}[k]))`,
    `${old}.all(k, k in ${names} || k in ${now})`,
  ].join(' && ')
}

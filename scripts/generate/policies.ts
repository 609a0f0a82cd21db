import { type CatalogueEntry, requests, type WriteRight } from '@jackstay/actions/action'
import { knownKeyRules, type Manifest } from '@jackstay/contract/crd'
import { drainsAnnotation } from '@jackstay/contract/executor'
import { group, type Kind, version } from '@jackstay/contract/kinds/kind'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { executorsNamespace } from '@jackstay/contract/namespaces'

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

export const extra = (key: string) => `request.userInfo.?extra[?'jackstay.dev/${key}'].orValue([])`
export const actionExtra = extra('action')

/** What an executor may do at all: the catalogue's writes, each in the name of its action. */
export function executorWritePolicy(catalogue: readonly CatalogueEntry[]): Manifest[] {
  const allowed = catalogue.flatMap((entry) =>
    entry.writes.map((write) => `(${matches(write)} && '${entry.name}' in ${actionExtra})`),
  )
  const draining = catalogue.filter(
    ({ targets, writes }) =>
      targets.some(({ kind }) => kind === 'Node') && writes.some(({ verb }) => verb === 'evict'),
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
      {
        // by this label a Suspension finds them, and nobody else's
        expression: `request.operation != 'CREATE' || object.metadata.?labels[?'${governedLabel}'].orValue('') == 'true'`,
        reason: 'Forbidden',
        message: `what an executor makes, evictions included, is labelled ${governedLabel}=true`,
      },
      {
        // so that a Suspension of the Node finds them
        expression: `request.?subResource.orValue('') != 'eviction' || ![${draining.map(({ name }) => `'${name}'`).join(', ')}].exists(a, a in ${actionExtra}) || object.metadata.?annotations[?'${drainsAnnotation}'].orValue('') != ''`,
        reason: 'Forbidden',
        message: `the evictions of a drain name the Node in the annotation ${drainsAnnotation}`,
      },
    ],
  })
}

function matches(write: WriteRight): string {
  const { group: apiGroup, resource, verb } = write
  const { operation, subresource } = requests[verb]
  return [
    `request.operation == '${operation}'`,
    `request.resource.group == '${apiGroup}'`,
    `request.resource.resource == '${resource}'`,
    `request.?subResource.orValue('') == '${subresource}'`,
    // only a write that takes an earlier one back
    ...(write.verb === 'patch' && write.takesBack ? [`${extra('phase')} == ['undo']`] : []),
  ].join(' && ')
}

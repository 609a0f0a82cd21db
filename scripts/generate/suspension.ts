import { type CatalogueEntry, requests, type WriteRight } from '@jackstay/actions/action'
import type { Manifest } from '@jackstay/contract/crd'
import { drainsAnnotation, madeLabels, retriesStemLength } from '@jackstay/contract/executor'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { extra, isExecutor, partOf } from './policies.ts'

/**
 * Suspensions as parameters. Parameters are resolved before match conditions: with the kind missing at
 * a restart, such a policy refuses whoever it matches. So each matches as little as it can, and the
 * kind cannot be deleted while it is bound (T86: jackstay-suspension-kind-unbound):
 * - edits of what actions edit in governed namespaces;
 * - of nodes, of what executors make and edit again, and of evictions those that carry the label of
 *   governed things themselves: a person's `kubectl drain` and the job controller have none.
 */
export function suspendedByKindPolicies(catalogue: readonly CatalogueEntry[]): Manifest[] {
  const writes = catalogue.flatMap((entry) => entry.writes)
  const governed = { matchLabels: { [governedLabel]: 'true' } }
  const isEdit = (w: WriteRight) => w.verb === 'patch' && !w.clusterScoped && !w.takesBack
  const edits = writes.filter(isEdit)
  const labelled = writes.filter((w) => !isEdit(w))
  return [
    ...policy('jackstay-suspended-by-kind', edits, { namespaceSelector: governed }),
    ...policy('jackstay-suspended-by-kind-labelled', labelled, { objectSelector: governed }),
  ]
}

function policy(name: string, writes: readonly WriteRight[], selectors: Manifest): Manifest[] {
  if (writes.length === 0) return []
  const apiVersion = 'admissionregistration.k8s.io/v1'
  return [
    {
      ...{ apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name, labels: partOf } },
      spec: {
        failurePolicy: 'Fail',
        paramKind: { apiVersion: groupVersion, kind: 'Suspension' },
        matchConstraints: { ...selectors, resourceRules: rulesOf(writes) },
        matchConditions: [isExecutor],
        variables,
        validations: [
          {
            expression: 'params == null || !variables.named || variables.spared',
            reason: 'Forbidden',
            message:
              'a Suspension stops this class, agent, action or target: see kubectl get suspensions',
          },
        ],
      },
    },
    {
      ...{ apiVersion, kind: 'ValidatingAdmissionPolicyBinding' },
      metadata: { name, labels: { ...partOf, 'jackstay.dev/parameters': 'suspensions' } },
      spec: {
        policyName: name,
        validationActions: ['Deny', 'Audit'],
        paramRef: { selector: {}, parameterNotFoundAction: 'Allow' },
      },
    },
  ]
}

/** One rule per API group and operation, each resource once. */
function rulesOf(writes: readonly WriteRight[]): Manifest[] {
  const byKey = Map.groupBy(writes, ({ group, verb }) => `${group} ${requests[verb].operation}`)
  return [...byKey].sort().map(([key, of]) => {
    const [group = '', operation = ''] = key.split(' ')
    const resources = of.map(({ resource, verb }) => {
      const { subresource } = requests[verb]
      return subresource === '' ? resource : `${resource}/${subresource}`
    })
    return {
      ...{ apiGroups: [group], apiVersions: ['*'], operations: [operation] },
      resources: [...new Set(resources)].sort(),
    }
  })
}

const spec = 'dyn(params).spec'

/** The object itself, what repeats it, and what repeats that. */
const isTarget = (name: string) =>
  [
    `${name} in [variables.target['name'], object.metadata.?labels[?'${madeLabels.retries}'].orValue('')]`,
    `(size(${name}) <= ${retriesStemLength} && '${madeLabels.retries}' in object.metadata.?labels.orValue({}) && variables.target['name'].startsWith(${name}.replace('.', '-') + '-retry-'))`,
  ].join(' || ')

const variables: readonly Manifest[] = [
  {
    name: 'target',
    expression:
      "{'namespace': request.?namespace.orValue(''), 'name': request.?name.orValue(''), 'kind': request.?subResource.orValue('') == 'eviction' ? 'Pod' : request.kind.kind}",
  },
  {
    name: 'named',
    expression: [
      `('class' in ${spec} && request.userInfo.username == 'system:serviceaccount:jackstay-executors:' + ${spec}['class'])`,
      `('agent' in ${spec} && ${spec}.agent in ${extra('agent')})`,
      `('action' in ${spec} && ${spec}.action in ${extra('action')})`,
      `('target' in ${spec} && ${spec}.target[?'namespace'].orValue('') == variables.target['namespace'] && ${spec}.target.kind == variables.target['kind'] && (${isTarget(`${spec}.target.name`)}))`,
      // what is evicted to drain a Node is stopped with it
      `('target' in ${spec} && ${spec}.target.kind == 'Node' && request.?subResource.orValue('') == 'eviction' && ${spec}.target.name == object.metadata.?annotations[?'${drainsAnnotation}'].orValue(''))`,
    ].join(' || '),
  },
  {
    name: 'spared',
    expression: `${spec}.?undo.orValue('hold') == 'allow' && ${extra('phase')} == ['undo']`,
  },
]

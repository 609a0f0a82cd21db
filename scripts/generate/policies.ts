import { type CatalogueEntry, requests, type WriteRight } from '@jackstay/actions/action'
import { knownKeyRules, type Manifest } from '@jackstay/contract/crd'
import { madeLabels, retriesStemLength } from '@jackstay/contract/executor'
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
    ],
  })
}

const pods = 'object.spec.template.spec'
const containers = `(${pods}.containers + ${pods}.?initContainers.orValue([]))`

/** What no template holds that an executor makes, whatever it is a copy of (T37). */
const neverMade: readonly { readonly expression: string; readonly what: string }[] = [
  {
    expression: `!['hostPID', 'hostIPC', 'hostNetwork'].exists(k, k in dyn(${pods}) && dyn(${pods})[k] == true)`,
    what: 'the namespaces of the node',
  },
  {
    expression: `${pods}.?volumes.orValue([]).all(v, dyn(v).all(k, k in ['name', 'emptyDir', 'configMap', 'downwardAPI', 'persistentVolumeClaim', 'ephemeral']))`,
    what: 'volumes of the node, of secrets, of tokens or from elsewhere',
  },
  {
    expression: `${containers}.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))`,
    what: 'ports of the node',
  },
  {
    expression: `${pods}.?serviceAccountName.orValue('default') == 'default'`,
    what: 'another ServiceAccount than `default`',
  },
  {
    expression: `${containers}.all(c, c.?securityContext.?privileged.orValue(false) == false && size(c.?securityContext.?capabilities.?add.orValue([])) == 0)`,
    what: 'privileges',
  },
  {
    expression: `${containers}.all(c, c.?env.orValue([]).all(e, !has(e.valueFrom) || !has(e.valueFrom.secretKeyRef)) && c.?envFrom.orValue([]).all(e, !has(e.secretRef)))`,
    what: 'values of secrets',
  },
]

const label = (key: string) => `object.metadata.?labels[?'${key}'].orValue('')`
const named = 'object.metadata.name.startsWith'

/** By these marks it is found again, taken back and stopped: whose intent made it, and what it repeats. */
const marked: readonly Manifest[] = [
  {
    expression: `[${label(madeLabels.intent)}] == ${extra('intent')}`,
    message: `what an executor makes is labelled ${madeLabels.intent} with the id of its intent`,
    reason: 'Forbidden',
  },
  {
    // the same as `retriesStem`
    expression: `${label(madeLabels.retries)} != '' && [${label(madeLabels.retries)}.split('-retry-')[0].replace('.', '-')].all(stem, ${named}((size(stem) > ${retriesStemLength} ? stem.substring(0, ${retriesStemLength}) : stem) + '-retry-'))`,
    message: `what an executor makes is labelled ${madeLabels.retries} with the name of what it repeats, and named after that`,
    reason: 'Forbidden',
  },
]

/** Holds executors' new objects to what is harmless, as edits are held to what was there. */
export function executorMadePolicy(catalogue: readonly CatalogueEntry[]): Manifest[] {
  const made = catalogue.flatMap(({ writes }) => writes.filter(({ verb }) => verb === 'create'))
  return policyWithBinding({
    name: 'jackstay-executors-made',
    rule: {
      apiGroups: [...new Set(made.map(({ group: apiGroup }) => apiGroup))],
      apiVersions: ['*'],
      operations: ['CREATE'],
      resources: [...new Set(made.map(({ resource }) => resource))],
    },
    matchConditions: [isExecutor],
    validations: [
      ...marked,
      ...neverMade.map(({ expression, what }) => ({
        ...{ expression, reason: 'Forbidden' },
        message: `an executor makes nothing that uses ${what}`,
      })),
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

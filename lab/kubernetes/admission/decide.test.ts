import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '../objects.ts'
import { decide } from './decide.ts'
import { bindPolicies, compilationProblems, compilePolicies } from './policies.ts'
import type { AdmissionRequest, Surroundings } from './request.ts'

const labels = { team: 'a' }
const namespaces: readonly KubeObject[] = [{ metadata: { name: 'shop', labels } }]
const limits: readonly KubeObject[] = [
  { metadata: { name: 'low', namespace: 'shop', labels }, data: { most: '3' } },
  { metadata: { name: 'high', namespace: 'shop' }, data: { most: '9' } },
]
const surroundings: Surroundings = {
  namespace: (name) => namespaces.find(({ metadata }) => metadata.name === name),
  objects: (_, kind) => (kind === 'ConfigMap' ? { namespaced: true, all: limits } : undefined),
}

function request(change: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    operation: 'CREATE',
    kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    resource: { group: 'apps', version: 'v1', resource: 'deployments' },
    subResource: '',
    name: 'api',
    namespace: 'shop',
    user: { username: 'ann', groups: ['dev'], extra: { 'example.org/why': ['x'] } },
    dryRun: false,
    object: { metadata: { name: 'api', labels: { app: 'api' } }, spec: { replicas: 5 } },
    oldObject: null,
    ...change,
  }
}

const deployments = {
  apiGroups: ['apps'],
  apiVersions: ['*'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['deployments'],
}

function verdictOf(spec: object, binding: object = {}, change: Partial<AdmissionRequest> = {}) {
  const metadata = { name: 'p' }
  const matchConstraints = { resourceRules: [deployments] }
  const policy = { metadata, spec: { matchConstraints, ...spec } }
  const bound = {
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
  }
  const policies = bindPolicies(compilePolicies([policy]), [bound])
  return decide(policies, request(change), surroundings)
}

const never = { validations: [{ expression: 'false', message: 'no' }] }
const denied = (verdict: ReturnType<typeof decide>) => verdict.refusal !== undefined

describe('admission policies', () => {
  it('refuse in the API server’s words', () => {
    const { refusal } = verdictOf({
      validations: [{ expression: 'object.spec.replicas <= 3', reason: 'Forbidden' }],
    })
    const message =
      "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.spec.replicas <= 3"
    assert.deepEqual(refusal, {
      code: 403,
      reason: 'Forbidden',
      message: `deployments.apps "api" is forbidden: ${message}`,
      details: { name: 'api', group: 'apps', kind: 'deployments', causes: [{ message }] },
    })
  })

  it('make a message, or fall back to the written one', () => {
    const message = 'written'
    const said = (messageExpression: string) =>
      verdictOf({ validations: [{ expression: 'false', message, messageExpression }] }).refusal
        ?.message ?? ''
    assert.match(said("'has ' + string(object.spec.replicas)"), /: has 5$/)
    assert.match(said('object.spec.nothing'), /: written$/)
    assert.match(said("'two\\nlines'"), /: written$/)
  })

  for (const [name, constraints, matches] of [
    ['another operation', { resourceRules: [{ ...deployments, operations: ['DELETE'] }] }, false],
    ['a subresource', { resourceRules: [{ ...deployments, resources: ['deployments/*'] }] }, true],
    ['a scale', { resourceRules: [{ ...deployments, resources: ['deployments/scale'] }] }, false],
    ['cluster scope', { resourceRules: [{ ...deployments, scope: 'Cluster' }] }, false],
    ['namespaced scope', { resourceRules: [{ ...deployments, scope: 'Namespaced' }] }, true],
    ['another name', { resourceRules: [{ ...deployments, resourceNames: ['web'] }] }, false],
    ['the name', { resourceRules: [{ ...deployments, resourceNames: ['api'] }] }, true],
    ['what is excluded', { excludeResourceRules: [deployments] }, false],
    ['the namespace', { namespaceSelector: { matchLabels: labels } }, true],
    ['another namespace', { namespaceSelector: { matchLabels: { team: 'b' } } }, false],
    ['labels', { objectSelector: { matchLabels: { app: 'api' } } }, true],
    [
      'other labels',
      { objectSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } },
      false,
    ],
  ] as const) {
    it(`match by ${name}`, () => {
      const matchConstraints = { resourceRules: [deployments], ...constraints }
      assert.equal(denied(verdictOf({ matchConstraints, ...never })), matches)
      const narrowed = verdictOf(never, { matchResources: constraints })
      assert.equal(denied(narrowed), matches, 'and so do bindings')
    })
  }

  it('step aside where a match condition is false, and say an error where one fails', () => {
    const condition = (expression: string) => ({ matchConditions: [{ name: 'c', expression }] })
    assert.ok(!denied(verdictOf({ ...condition("'ops' in request.userInfo.groups"), ...never })))
    const { refusal } = verdictOf({ ...condition('request.options.x == 1'), ...never })
    assert.match(
      refusal?.message ?? '',
      /denied request: expression 'request.options.x == 1' resulted in error: no such key: options$/,
    )
    const ignore = { failurePolicy: 'Ignore', ...condition('request.options.x == 1'), ...never }
    assert.ok(!denied(verdictOf(ignore)))
  })

  it('know variables, which are evaluated only when asked for', () => {
    const variables = [
      { name: 'broken', expression: 'object.nothing' },
      { name: 'many', expression: 'object.spec.replicas > 3' },
      { name: 'both', expression: "variables.many && namespaceObject.metadata.labels.team == 'a'" },
    ]
    const holds = (expression: string) => verdictOf({ variables, validations: [{ expression }] })
    assert.ok(!denied(holds('variables.both')))
    assert.match(
      holds('variables.broken').refusal?.message ?? '',
      /composited variable "broken" fails to evaluate: no such key: nothing$/,
    )
  })

  it('take parameters by name or labels, in the namespace of the request', () => {
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'object.spec.replicas <= int(params.data.most)' }],
    }
    const by = (paramRef: object, change?: Partial<AdmissionRequest>) =>
      denied(verdictOf(spec, { paramRef }, change))
    const action = { parameterNotFoundAction: 'Allow' }
    assert.ok(by({ name: 'low', ...action }))
    assert.ok(!by({ name: 'high', ...action }))
    assert.ok(by({ selector: {}, ...action }), 'one of several refuses')
    assert.ok(by({ selector: { matchLabels: labels }, ...action }))
    assert.ok(!by({ name: 'low', ...action }, { namespace: 'other' }))
    assert.ok(by({ name: 'none', parameterNotFoundAction: 'Deny' }))
    assert.ok(!by({ name: 'none', ...action }))
    const lost = { ...spec, paramKind: { apiVersion: 'example.org/v1', kind: 'Gone' } }
    assert.ok(denied(verdictOf(lost, { paramRef: { name: 'x', ...action } })))
  })

  it('warn and keep a record without refusing', () => {
    const { refusal, warnings, audit } = verdictOf(never, { validationActions: ['Warn', 'Audit'] })
    assert.equal(refusal, undefined)
    assert.deepEqual(warnings, [
      "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no",
    ])
    assert.equal(audit.length, 1)
  })

  it('never judge policies themselves, nor questions', () => {
    const all = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }
    const group = 'admissionregistration.k8s.io'
    const resource = { group, version: 'v1', resource: 'validatingadmissionpolicies' }
    const spec = { matchConstraints: { resourceRules: [all] }, ...never }
    assert.ok(denied(verdictOf(spec)))
    assert.ok(!denied(verdictOf(spec, {}, { resource })))
  })

  it('say what of them does not compile', () => {
    const spec = { validations: [{ expression: 'obect.spec == 1' }, { expression: 'true' }] }
    const problems = compilationProblems({ metadata: { name: 'p' }, spec })
    assert.equal(problems.length, 1)
    assert.equal(problems[0]?.field, 'spec.validations[0].expression')
    assert.match(problems[0]?.why ?? '', /undeclared reference to 'obect'/)
    assert.ok(denied(verdictOf(spec)))
  })
})

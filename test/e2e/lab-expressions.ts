import type { KubeObject } from '@jackstay/kube/resources'
import { suffix } from './governed.ts'

/** What the expressions are about: the data of a ConfigMap that is to be made. */
export const data = {
  ...{ n: '5', s: 'a-b-c', uni: '日本語x', d: '1h30m', t: '2026-02-02T09:00:00Z' },
}

/** False, or an error: what is said of them is compared. */
const expressions: readonly string[] = [
  'object.data.none == "x"',
  'object.?data.?none.orValue("x") == "y"',
  'oldObject.spec == 1',
  'oldObject.?spec.hasValue()',
  'has(oldObject.spec)',
  'has(object.data.none)',
  'object.data.n == 5',
  'dyn(object.data.n) == dyn(5)',
  'int(object.data.n) == 6',
  'int(object.data.s) == 6',
  'object.data.s.split("-") == ["a"]',
  'object.data.s.split("-", 2) == ["a"]',
  'object.data.s.split("-")[7] == "x"',
  'object.data.uni.substring(1, 3) != "本語"',
  'object.data.uni.substring(9) == ""',
  'object.data.uni.substring(3, 1) == ""',
  'size(object.data.uni) == 5',
  'object.data.s.replace("-", ".", 1) == "x"',
  'object.data.s.matches("^[a-c-]+$") == false',
  'duration(object.data.d) < duration("1h")',
  'duration(object.data.s) < duration("1h")',
  'timestamp(object.data.s) < timestamp("2026-01-01T00:00:00Z")',
  'object.data.exists(k, object.data[k] == "zz")',
  'object.data.all(k, int(object.data[k]) == 5)',
  'object.data.exists(k, int(object.data[k]) == 5) == false',
  'object.data.exists_one(k, k == "n") == false',
  'object.data.map(k, k).size() == 4',
  'object.data.filter(k, k.startsWith("u")) == []',
  '1 / (size(object.data) - 5) == 1',
  '1 % (size(object.data) - 5) == 1',
  '[1, 2][size(object.data)] == 1',
  '{"a": 1}[object.data.s] == 1',
  'object.metadata.labels["x"] == "y"',
  'object.metadata.?labels[?"x"].orValue("q") == "y"',
  'optional.of(object.data).?none.orValue("") != ""',
  'optional.none().value() == 1',
  'object.data == {"n": "5"}',
  'object.?data == optional.none()',
  'request.options.dryRun == ["x"]',
  'request.options.nope == "x"',
  'has(request.options.preconditions)',
  'request.?subResource.orValue("") != ""',
  'request.dryRun == false',
  'request.operation != "CREATE"',
  'request.userInfo.?extra.orValue({}).size() > 99',
  'namespaceObject.metadata.name != "default"',
  'has(namespaceObject.spec) == false',
  'object.kind == "x"',
  'type(object.data.n) == int',
  '"a" + object.data.n == "a"',
  'object.data.s.contains("z")',
  'object.data.s.indexOf("b") == 9',
  'object.data.s.lowerAscii() == "A"',
  'quantity(object.data.n).isGreaterThan(quantity("10"))',
  'quantity(object.data.s).isGreaterThan(quantity("10"))',
  'size(object.data.n) > 5 || object.data.none == "x"',
  'object.data.none == "x" || size(object.data.n) > 5',
  'object.data.none == "x" && false',
  'object.data.n ? true : false',
  'dyn(object.data.n) && true',
  'dyn(object).data.none.more == 1',
  'dyn(1) + dyn("a") == dyn(2)',
  'dyn(object).nope.all(k, k == 1)',
  'dyn(object.data.n).all(k, true)',
  '"x" in object.data.n.split("")',
  'dyn("x") in dyn(object.data.n)',
  '"null: " + string(object.metadata.name) == ""',
  'object.data.?n.optMap(v, v + "!").orValue("") == "5"',
  '[3,1,2].isSorted()',
  '[1,2].sum() == 4',
  '["a","b"].join("-") == "x"',
  '[1,2].max() == 3',
]

export interface Asked {
  readonly expression: string
  readonly name: string
  readonly policy: KubeObject
  readonly binding: KubeObject
}

/** For each expression a policy on one ConfigMap of the same name. */
export function expressionPolicies(): readonly Asked[] {
  const prefix = `e2e-expression-${suffix()}`
  return expressions.map((expression, i) => {
    const name = `${prefix}-${i}`
    const rule = {
      ...{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'] },
      ...{ resources: ['configmaps'], resourceNames: [name] },
    }
    const of = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name } }
    return {
      expression,
      name,
      policy: {
        ...{ ...of, kind: 'ValidatingAdmissionPolicy' },
        spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression }] },
      },
      binding: {
        ...{ ...of, kind: 'ValidatingAdmissionPolicyBinding' },
        spec: { policyName: name, validationActions: ['Deny'] },
      },
    }
  })
}

import { compileExpression, type Program } from '../cel/compile.ts'
import { CelError } from '../cel/values.ts'
import type { KubeObject } from '../objects.ts'
import {
  type BindingObject,
  bindingSchema,
  type PolicyObject,
  policySchema,
} from './policy-schema.ts'

export interface Validation {
  readonly expression: string
  readonly holds: Program
  readonly message: string
  readonly messageOf?: Program
  readonly reason?: string
}

export interface CompiledPolicy {
  readonly object: PolicyObject
  readonly conditions: readonly { readonly expression: string; readonly holds: Program }[]
  readonly variables: readonly { readonly name: string; readonly value: Program }[]
  readonly validations: readonly Validation[]
}

/** What expressions of policies can name. */
const names = ['object', 'oldObject', 'request', 'params', 'namespaceObject']

/**
 * Compiles policies, once for all writes to come. An expression that does not compile is an error at each
 * write, as `failurePolicy` says.
 */
export function compilePolicies(policies: readonly KubeObject[]): readonly CompiledPolicy[] {
  return policyCompiler()(policies)
}

/** The same again and again, with what was compiled before at hand: policies come one by one. */
export function policyCompiler(): typeof compilePolicies {
  const compile = compiler()
  const known = new WeakMap<KubeObject, CompiledPolicy>()
  return (policies) =>
    policies.map((policy) => {
      const before = known.get(policy)
      if (before !== undefined) return before
      const made = compiled(policySchema.parse(policy), compile)
      known.set(policy, made)
      return made
    })
}

/** Policies that are in force: each with the bindings that name it. */
export interface BoundPolicy extends CompiledPolicy {
  readonly bindings: readonly BindingObject[]
}

export function bindPolicies(
  policies: readonly CompiledPolicy[],
  bindings: readonly KubeObject[],
): readonly BoundPolicy[] {
  const bound = Map.groupBy(
    bindings.map((binding) => bindingSchema.parse(binding)),
    ({ spec }) => spec.policyName,
  )
  return policies.flatMap((policy) => {
    const own = bound.get(policy.object.metadata.name)
    return own === undefined ? [] : [{ ...policy, bindings: own }]
  })
}

function compiled(object: PolicyObject, program: Compile): CompiledPolicy {
  const { matchConditions, variables, validations } = object.spec
  const inside = [...names, 'variables']
  return {
    object,
    conditions: matchConditions.map(({ expression }) => ({
      expression,
      holds: program(expression, names),
    })),
    variables: variables.map(({ name, expression }) => ({
      name,
      value: program(expression, inside),
    })),
    validations: validations.map(({ expression, message, messageExpression, reason }) => ({
      expression,
      holds: program(expression, inside),
      message: message?.trim() ?? '',
      ...(messageExpression !== undefined && { messageOf: program(messageExpression, inside) }),
      ...(reason !== undefined && { reason }),
    })),
  }
}

type Compile = (source: string, variables: readonly string[]) => Program

/** Policies say many things in the same words: each is compiled once. */
function compiler(): Compile {
  const known = new Map<string, Program>()
  return (source, variables) => {
    const key = `${variables.length} ${source}`
    const program = known.get(key) ?? compileOrFail(source, variables)
    known.set(key, program)
    return program
  }
}

function compileOrFail(source: string, variables: readonly string[]): Program {
  try {
    return compileExpression(source, variables)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return () => {
      throw new CelError(`compilation error: compilation failed: ${message}`)
    }
  }
}

/** An expression that does not compile. */
export interface Problem {
  /** Such as `spec.validations[0].expression`. */
  readonly field: string
  readonly expression: string
  readonly why: string
}

/** What of a policy does not compile: the API server refuses such a policy when it is written. */
export function compilationProblems(policy: KubeObject): readonly Problem[] {
  const read = policySchema.safeParse(policy)
  if (!read.success) {
    return read.error.issues.map(({ path, message }) => ({
      ...{ field: path.join('.'), expression: '', why: message },
    }))
  }
  const { matchConditions, variables, validations } = read.data.spec
  const inside = [...names, 'variables']
  const expressions = (list: readonly { readonly expression: string }[], field: string) =>
    list.map(({ expression }, i) => ({ expression, field: `spec.${field}[${i}].expression` }))
  const messages = validations.flatMap(({ messageExpression: expression }, i) =>
    expression === undefined
      ? []
      : [{ expression, field: `spec.validations[${i}].messageExpression` }],
  )
  return [
    ...expressions(matchConditions, 'matchConditions').flatMap((one) => problemsOf(one, names)),
    ...[
      ...expressions(variables, 'variables'),
      ...expressions(validations, 'validations'),
      ...messages,
    ].flatMap((one) => problemsOf(one, inside)),
  ]
}

function problemsOf(
  { expression, field }: Omit<Problem, 'why'>,
  variables: readonly string[],
): readonly Problem[] {
  try {
    compileExpression(expression, variables)
    return []
  } catch (error) {
    return [{ expression, field, why: error instanceof Error ? error.message : String(error) }]
  }
}

import type { CelValue } from '../cel/values.ts'
import { CelError } from '../cel/values.ts'
import { isExempt, matchesConstraints } from './matching.ts'
import { paramsOf } from './params.ts'
import type { BoundPolicy, CompiledPolicy, Validation } from './policies.ts'
import type { BindingObject } from './policy-schema.ts'
import { forbidden, type Refusal } from './refusal.ts'
import { type AdmissionRequest, requestVariable, type Surroundings } from './request.ts'

/** What all policies together say of one write. */
export interface Verdict {
  readonly refusal?: Refusal
  /** For `Warning` headers. */
  readonly warnings: readonly string[]
  /** For the audit log. */
  readonly audit: readonly Failure[]
}

export interface Failure {
  readonly policy: string
  readonly binding: string
  readonly message: string
  readonly reason: string
  readonly validationActions: readonly string[]
}

type Variables = Readonly<Record<string, CelValue>>

/** Judges one write by every policy that is about it. */
export function decide(
  policies: readonly BoundPolicy[],
  request: AdmissionRequest,
  surroundings: Surroundings,
): Verdict {
  if (isExempt(request)) return { warnings: [], audit: [] }
  let variables: Variables | undefined
  const failures = policies.flatMap((policy) => {
    const constraints = policy.object.spec.matchConstraints ?? {}
    if (!matchesConstraints(constraints, request, surroundings)) return []
    variables ??= variablesOf(request, surroundings)
    return failuresOf(policy, request, surroundings, variables)
  })
  return verdict(request, failures)
}

function variablesOf(request: AdmissionRequest, surroundings: Surroundings): Variables {
  const { kind, namespace, object, oldObject } = request
  const isNamespace = kind.group === '' && kind.kind === 'Namespace'
  const namespaceObject =
    namespace === '' || isNamespace ? null : (surroundings.namespace(namespace) ?? null)
  return { object, oldObject, request: requestVariable(request), namespaceObject }
}

function failuresOf(
  policy: BoundPolicy,
  request: AdmissionRequest,
  surroundings: Surroundings,
  variables: Variables,
): Failure[] {
  const { object } = policy
  return policy.bindings.flatMap((binding) => {
    const { matchResources } = binding.spec
    if (matchResources && !matchesConstraints(matchResources, request, surroundings)) return []
    const found = paramsOf(object, binding, request, surroundings)
    if ('misconfigured' in found) {
      return object.spec.failurePolicy === 'Ignore'
        ? []
        : [failure(policy, binding, { message: found.misconfigured })]
    }
    return found.params.flatMap((params) =>
      judged(policy, { ...variables, params }).map((one) => failure(policy, binding, one)),
    )
  })
}

interface Denial {
  readonly message: string
  readonly reason?: string
}

function failure(policy: CompiledPolicy, { metadata, spec }: BindingObject, denial: Denial) {
  return {
    policy: policy.object.metadata.name,
    binding: metadata.name,
    message: denial.message,
    reason: denial.reason ?? 'Invalid',
    validationActions: spec.validationActions,
  }
}

/** One policy over one parameter. */
function judged(policy: CompiledPolicy, variables: Variables): readonly Denial[] {
  const ignores = policy.object.spec.failurePolicy === 'Ignore'
  const errors: string[] = []
  for (const { expression, holds } of policy.conditions) {
    const result = run(expression, () => holds(variables))
    if ('error' in result) errors.push(result.error)
    else if (result.value === false) return []
  }
  if (errors.length > 0) return ignores ? [] : [{ message: errors.join(', ') }]
  const all = { ...variables, variables: lazy(policy, variables) }
  return policy.validations.flatMap((validation) => {
    const result = run(validation.expression, () => validation.holds(all))
    if ('error' in result) return ignores ? [] : [{ message: result.error }]
    if (result.value === true) return []
    const { reason } = validation
    const message = messageOf(validation, all)
    return [{ message, ...(reason !== undefined && { reason }) }]
  })
}

function run(
  expression: string,
  evaluate: () => CelValue,
): { readonly value: CelValue } | { readonly error: string } {
  try {
    return { value: evaluate() }
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return { error: `expression '${expression}' resulted in error: ${error.message}` }
  }
}

/** Variables are evaluated when they are asked for, once. */
function lazy(policy: CompiledPolicy, variables: Variables): Variables {
  const made: Record<string, CelValue> = {}
  for (const { name, value } of policy.variables) {
    let known: { readonly value: CelValue } | undefined
    const get = () => {
      known ??= { value: evaluated(name, () => value({ ...variables, variables: made })) }
      return known.value
    }
    Object.defineProperty(made, name, { get, enumerable: true })
  }
  return made
}

function evaluated(name: string, evaluate: () => CelValue): CelValue {
  try {
    return evaluate()
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    throw new CelError(`composited variable "${name}" fails to evaluate: ${error.message}`)
  }
}

const longestMessage = 5 * 1024

function messageOf({ expression, message, messageOf: made }: Validation, all: Variables): string {
  const text = made === undefined ? '' : expressed(() => made(all))
  return text || message || `failed expression: ${expression.trim()}`
}

/** A message that cannot be made gives way to the written one. */
function expressed(make: () => CelValue): string {
  const result = run('', make)
  if ('error' in result || typeof result.value !== 'string') return ''
  const text = result.value.trim()
  return text.length > longestMessage || text.includes('\n') ? '' : text
}

function verdict(request: AdmissionRequest, failures: readonly Failure[]): Verdict {
  const acting = (action: string) =>
    failures.filter(({ validationActions }) => validationActions.includes(action))
  const denials = acting('Deny')
  const [first] = denials
  const warnings = acting('Warn').map(
    ({ policy, binding, message }) =>
      `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding}': ${message}`,
  )
  const words = ({ policy, binding, message }: Failure) =>
    `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${message}`
  return {
    ...(first !== undefined && {
      refusal: forbidden(request, words(first), {
        reason: first.reason,
        causes: [words(first)],
      }),
    }),
    warnings,
    audit: acting('Audit'),
  }
}

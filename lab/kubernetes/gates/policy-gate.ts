import { decide } from '../admission/decide.ts'
import {
  type BoundPolicy,
  bindPolicies,
  compilationProblems,
  policyCompiler,
} from '../admission/policies.ts'
import type { AdmissionRequest, Surroundings } from '../admission/request.ts'
import type { Admitted } from '../api/gates.ts'
import { ApiError, invalid } from '../api/status.ts'
import { collectionOf } from '../resources/registry.ts'
import { failure } from '../status.ts'
import type { ObjectStore } from '../store/store.ts'

const group = 'admissionregistration.k8s.io'
const policies = `validatingadmissionpolicies.${group}`
const bindings = `validatingadmissionpolicybindings.${group}`

/** The admission policies in force: those that are stored by now, compiled when a write asks for them. */
export class PolicyGate {
  readonly #store: ObjectStore
  readonly #compiled = policyCompiler()
  #inForce: readonly BoundPolicy[] | undefined

  constructor(store: ObjectStore) {
    this.#store = store
    store.listen(({ place: { collection } }) => {
      if (collection === policies || collection === bindings) this.#inForce = undefined
    })
  }

  /** @throws ApiError 422 for a policy that does not compile */
  check({ object, operation, resource, info }: Admitted): void {
    const isPolicy = collectionOf(resource) === policies && info.subresource === ''
    if (!isPolicy || operation === 'DELETE' || object === undefined) return
    const errors = compilationProblems(object).map(({ field, expression, why }) => ({
      ...{ field, reason: 'FieldValueInvalid' as const },
      message: `Invalid value: ${JSON.stringify(expression)}: compilation failed: ${why}`,
    }))
    if (errors.length > 0) throw invalid(resource, object.metadata.name ?? '', errors)
  }

  /** Tells warnings to the writer. @throws ApiError in the words of the policy that refuses */
  pass(request: AdmissionRequest, surroundings: Surroundings, warn: (text: string) => void): void {
    this.#inForce ??= bindPolicies(
      this.#compiled(this.#store.list(policies)),
      this.#store.list(bindings),
    )
    const { refusal, warnings } = decide(this.#inForce, request, surroundings)
    for (const warning of warnings) warn(warning)
    if (refusal === undefined) return
    const { code, reason, message, details } = refusal
    throw new ApiError(failure(code, reason, message, details))
  }
}

import { decide } from '../admission/decide.ts'
import { type BoundPolicy, bindPolicies, policyCompiler } from '../admission/policies.ts'
import type { AdmissionRequest, Surroundings } from '../admission/request.ts'
import { ApiError } from '../api/status.ts'
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

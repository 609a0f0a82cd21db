import { bindingEscalation, roleEscalation } from '../access/escalation.ts'
import { type Rbac, rbac, rbacGroup } from '../access/rbac.ts'
import type { TokenSettings } from '../access/tokens.ts'
import { refusedByNamespace } from '../admission/namespace-lifecycle.ts'
import { preparePod } from '../admission/pods.ts'
import { charge } from '../admission/quota.ts'
import type { AdmissionRequest, Surroundings } from '../admission/request.ts'
import type { Admitted, Gates } from '../api/gates.ts'
import { ApiError } from '../api/status.ts'
import { collectionOf, type Registry } from '../resources/registry.ts'
import type { Status } from '../status.ts'
import type { ObjectStore } from '../store/store.ts'
import { attributesOf, userOf } from './access-gate.ts'
import { PolicyGate } from './policy-gate.ts'

export interface GateParts {
  readonly store: ObjectStore
  readonly registry: Registry
  readonly tokens: TokenSettings
  readonly now: () => number
}

/** Everybody who has a say before a request is served, over what the store has by then. */
export function gatesOf(parts: GateParts): Gates & { readonly rights: Rbac } {
  const { store, registry } = parts
  const rights = rbac(store)
  const policies = new PolicyGate(store)
  const surroundings = surroundingsOf(store, registry)
  return {
    rights,
    authenticate: (request, info) => userOf(request, info, { ...parts, rights }),
    authorize: (user, info) => refuse(rights.refusal(user, attributesOf(info))),
    mutate(write) {
      const request = admissionRequest(write)
      refuse(refusedByNamespace(request, surroundings))
      return isNewPod(write) ? prepared(request, store) : undefined
    },
    validate(write) {
      const request = admissionRequest(write)
      if (write.operation === 'DELETE') refuse(refusedByNamespace(request, surroundings))
      policies.check(write)
      policies.pass(request, surroundings, write.warn)
      refuse(escalation(write, rights))
      charged(request, store)
    },
  }
}

function refuse(status: Status | undefined): void {
  if (status !== undefined) throw new ApiError(status)
}

function isNewPod({ operation, resource, info }: Admitted): boolean {
  return (
    operation === 'CREATE' &&
    resource.group === '' &&
    resource.kind === 'Pod' &&
    info.subresource === ''
  )
}

function prepared(request: AdmissionRequest, store: ObjectStore) {
  const answer = preparePod(request, {
    serviceAccounts: store.list('serviceaccounts', request.namespace),
    priorityClasses: store.list('priorityclasses.scheduling.k8s.io'),
  })
  if ('refusal' in answer) throw new ApiError(answer.refusal)
  return answer.pod
}

/** Last of all, as on a real server: what is refused for another reason is charged to nobody. */
function charged(request: AdmissionRequest, store: ObjectStore): void {
  const answer = charge(request, store.list('resourcequotas', request.namespace))
  if ('refusal' in answer) throw new ApiError(answer.refusal)
  if (request.dryRun) return
  for (const quota of answer.quotas) {
    const { name, namespace = '' } = quota.metadata
    store.put({ collection: 'resourcequotas', namespace, name }, quota)
  }
}

/** Nobody hands out more than he has. */
function escalation(write: Admitted, rights: Rbac): Status | undefined {
  const { resource, operation, object, oldObject, user, info } = write
  if (resource.group !== rbacGroup || operation === 'DELETE' || object === undefined) {
    return undefined
  }
  const { namespace, name } = info
  const written = { user, namespace, name, object, ...(oldObject && { before: oldObject }) }
  return resource.kind.endsWith('Binding')
    ? bindingEscalation(rights, written)
    : roleEscalation(rights, written)
}

function admissionRequest(write: Admitted): AdmissionRequest {
  const { info, resource, user, operation, object, oldObject, dryRun, options } = write
  const { group, version, kind, plural } = resource
  const sub = info.subresource
  return {
    operation,
    kind: object?.kind === 'Scale' ? scale : { group, version, kind },
    resource: { group, version, resource: plural },
    ...{ subResource: sub, name: info.name, namespace: info.namespace, user, dryRun, options },
    ...{ object: object ?? null, oldObject: oldObject ?? null },
  }
}

const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const

function surroundingsOf(store: ObjectStore, registry: Registry): Surroundings {
  return {
    namespace: (name) => store.get({ collection: 'namespaces', namespace: '', name }),
    objects(apiVersion, kind) {
      const [group = '', version = ''] = apiVersion.includes('/')
        ? apiVersion.split('/')
        : ['', apiVersion]
      const resource = registry.ofKind(group, version, kind)
      if (resource === undefined) return undefined
      return { namespaced: resource.namespaced, all: store.list(collectionOf(resource)) }
    },
  }
}

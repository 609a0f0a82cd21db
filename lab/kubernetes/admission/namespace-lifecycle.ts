import { failure, forbidden, notFound, type Status } from '../status.ts'
import type { AdmissionRequest, Surroundings } from './request.ts'

const immortal = ['default', 'kube-public', 'kube-system']

/** Nothing is made in a namespace that is missing or on its way out, and some namespaces stay. */
export function refusedByNamespace(
  request: AdmissionRequest,
  surroundings: Pick<Surroundings, 'namespace'>,
): Status | undefined {
  const { operation, resource, name, namespace } = request
  if (resource.group === '' && resource.resource === 'namespaces') {
    return operation === 'DELETE' && immortal.includes(name)
      ? forbidden(resource, name, 'this namespace may not be deleted')
      : undefined
  }
  if (operation !== 'CREATE' || namespace === '') return undefined
  const found = surroundings.namespace(namespace)
  if (found === undefined) return notFound({ group: '', resource: 'namespaces' }, namespace)
  return found.metadata.deletionTimestamp === undefined ? undefined : terminating(request)
}

function terminating({ resource, name, namespace, object }: AdmissionRequest): Status {
  const message = `unable to create new content in namespace ${namespace} because it is being terminated`
  const refusal = forbidden(resource, name || (object?.metadata.name ?? ''), message)
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  }
  const details = { ...refusal.details, causes: [cause] }
  return failure(refusal.code, 'Forbidden', refusal.message, details)
}

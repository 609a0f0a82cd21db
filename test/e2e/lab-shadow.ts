import type { ApiRequest, ApiResponse, KubeClient } from '@jackstay/kube/client'
import { asObject, isRecord, type KubeObject } from '@jackstay/kube/resources'
import type { Verdict } from '@jackstay/lab/kubernetes/admission/decide'
import type { AdmissionRequest, Operation } from '@jackstay/lab/kubernetes/admission/request'
import type { User } from '@jackstay/lab/kubernetes/objects'

/** A write, what the real API server answered, and what the lab's admission says of the same. */
export interface Twice {
  readonly request: AdmissionRequest
  readonly real: ApiResponse
  readonly lab: Verdict
}

export interface Shadow {
  /** Who the client is, as the API server knows them. */
  readonly user: User
  readonly judge: (request: AdmissionRequest) => Promise<Verdict>
  readonly told: (twice: Twice) => void
}

/** The same client, whose writes the lab judges as well, over the cluster as it stands. */
export function shadowed(client: KubeClient, shadow: Shadow, reader = client): KubeClient {
  return new Proxy(client, {
    get(target, key) {
      if (key === 'as') {
        return (who: Parameters<KubeClient['as']>[0]) =>
          shadowed(client.as(who), { ...shadow, user: impersonated(who) }, reader)
      }
      if (key === 'request') return (request: ApiRequest) => both(target, request, shadow, reader)
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function both(client: KubeClient, sent: ApiRequest, shadow: Shadow, reader: KubeClient) {
  const request = await admissionRequest(sent, shadow.user, reader)
  if (request === undefined) return await client.request(sent)
  const lab = await shadow.judge(request)
  const real = await client.request(sent)
  shadow.told({ request, real, lab })
  return real
}

/** The groups that the API server adds for who is impersonated without any. */
function impersonated(who: Parameters<KubeClient['as']>[0]): User {
  const { username, groups = [], extra = {} } = who
  const [, namespace] = /^system:serviceaccount:([^:]+):/.exec(username) ?? []
  const account =
    namespace === undefined || groups.length > 0
      ? []
      : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
  const all = [...account, ...groups, 'system:authenticated']
  return { username, groups: [...new Set(all)], extra }
}

const operations: Readonly<Record<string, Operation>> = {
  POST: 'CREATE',
  PUT: 'UPDATE',
  PATCH: 'UPDATE',
  DELETE: 'DELETE',
}

const where =
  /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/

/** `undefined` for what admission never sees, and for patches other than merge patches. */
async function admissionRequest(
  sent: ApiRequest,
  user: User,
  reader: KubeClient,
): Promise<AdmissionRequest | undefined> {
  const operation = operations[sent.method]
  const match = where.exec(sent.path)
  const merges = sent.method !== 'PATCH' || sent.contentType === 'application/merge-patch+json'
  if (operation === undefined || match === null || !merges) return undefined
  const [, group = '', version = '', inNamespace = '', resource = '', name = '', sub = ''] = match
  const itself = resource === 'namespaces' ? name : ''
  const namespace = inNamespace || itself
  const body = isRecord(sent.body) ? sent.body : {}
  const stored = operation === 'CREATE' ? null : await readOrNull(reader, sent.path)
  const object = operation === 'DELETE' ? null : written(sent, body, stored, { name, namespace })
  const dry = sent.query?.dryRun === 'All'
  const kind = isRecord(object ?? stored) ? String((object ?? stored)?.kind) : ''
  return {
    ...{ operation, subResource: sub, namespace, user, dryRun: dry, object, oldObject: stored },
    name: name || (object?.metadata.name ?? ''),
    kind: { group, version, kind },
    resource: { group, version, resource },
    options: {
      ...(operation === 'DELETE' ? body : {}),
      apiVersion: 'meta.k8s.io/v1',
      kind: `${operation.charAt(0)}${operation.slice(1).toLowerCase()}Options`,
      ...(dry && { dryRun: ['All'] }),
    },
  }
}

async function readOrNull(reader: KubeClient, path: string): Promise<KubeObject | null> {
  const { status, body } = await reader.request({ method: 'GET', path })
  return status === 200 ? asObject(body) : null
}

function written(
  { method }: ApiRequest,
  body: Readonly<Record<string, unknown>>,
  stored: KubeObject | null,
  { namespace }: { readonly name: string; readonly namespace: string },
): KubeObject {
  const whole = method === 'PATCH' ? merged(stored ?? {}, body) : body
  const object = isRecord(whole) ? whole : {}
  const metadata = isRecord(object.metadata) ? object.metadata : {}
  const own = object.kind === 'Namespace' || namespace === '' ? {} : { namespace }
  return { ...object, metadata: { ...own, ...metadata } }
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

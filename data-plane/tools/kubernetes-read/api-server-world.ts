import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { TestContext } from 'node:test'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { configFor } from '@jackstay/kube/config'

/** A stand-in for the API server: answers by path, keeps what it was asked. */
export interface ApiServer {
  readonly client: KubeClient
  readonly asked: { readonly method: string; readonly url: string; readonly as: string }[]
  readonly headers: IncomingHttpHeaders[]
  /** Answers by path without query, text as it is; else 404. */
  readonly answers: Map<string, { readonly status: number; readonly body: unknown }>
}

export async function startApiServer(t: TestContext): Promise<ApiServer> {
  const asked: ApiServer['asked'] = []
  const headers: IncomingHttpHeaders[] = []
  const answers: ApiServer['answers'] = new Map()
  const server = createServer((request, response) => {
    const url = request.url ?? ''
    headers.push(request.headers)
    asked.push({
      method: request.method ?? '',
      url,
      as: String(request.headers['impersonate-user'] ?? ''),
    })
    const { status, body } = answers.get(url.split('?')[0] ?? '') ?? failure(404, 'not found')
    const text = typeof body === 'string'
    response.writeHead(status, { 'content-type': text ? 'text/plain' : 'application/json' })
    response.end(text ? body : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  const config = configFor(`http://127.0.0.1:${address.port}`)
  const client = connect(config, { userAgent: 'test' })
  t.after(async () => {
    await client.close()
    server.close()
  })
  return { client, asked, headers, answers }
}

export const rightsPath = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews'

/** What the agent may read in a namespace, as the API server tells it. */
export function rights(...resources: readonly string[]) {
  const rule = { verbs: ['get', 'list'], apiGroups: ['', 'apps'], resources }
  return { status: 201, body: { status: { resourceRules: [rule], incomplete: false } } }
}

export function failure(code: number, message: string) {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', code, message } }
}

export function ok(body: unknown) {
  return { status: 200, body }
}

export function listOf(kind: string, items: readonly unknown[], next?: string) {
  return ok({
    apiVersion: 'v1',
    kind: `${kind}List`,
    metadata: { resourceVersion: '7', ...(next && { continue: next }) },
    items,
  })
}

import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { z } from 'zod'
import type { Layout } from './layout.ts'

export type Answer = { readonly status: number; readonly body: string }

/** One request to the cluster's API server as its administrator; undefined while nobody answers. */
export function apiRequest(
  layout: Layout,
  path: string,
  object?: unknown,
): Promise<Answer | undefined> {
  const url = new URL(path, layout.server)
  return new Promise((resolve) => {
    const sent = request(
      url,
      {
        method: object === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json' },
        ca: readFileSync(layout.pki('ca.crt')),
        cert: readFileSync(layout.pki('admin.crt')),
        key: readFileSync(layout.pki('admin.key')),
        // a pooled connection would outlive the server that a test restarts
        agent: false,
        timeout: 5_000,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', () => resolve(undefined))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        )
      },
    )
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => resolve(undefined))
    sent.end(object === undefined ? undefined : JSON.stringify(object))
  })
}

export async function answersOk(layout: Layout, path: string): Promise<boolean> {
  return (await apiRequest(layout, path))?.status === 200
}

const status = z.object({ message: z.string() })

/** Creates an object; one that is there already is left as it is. */
export async function createObject(layout: Layout, path: string, object: unknown): Promise<void> {
  const answer = await apiRequest(layout, path, object)
  if (answer?.status === 201 || answer?.status === 409) return
  const said = answer === undefined ? 'no answer' : status.parse(JSON.parse(answer.body)).message
  throw new Error(`creating an object at \`${path}\` failed: ${said}`)
}

import type { IncomingMessage } from 'node:http'
import { isRecord } from '@jackstay/kube/resources'
import { parse } from 'yaml'
import type { KubeObject } from '../objects.ts'
import { badRequest, refusal, unsupportedMediaType } from './status.ts'

/** Bytes; a real server takes as much. */
const limit = 3 * 1024 * 1024
const objectTypes = ['application/json', 'application/yaml']

/** The media type of the body, without its parameters. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** @throws ApiError 413 */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > limit) {
      throw refusal(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`)
    }
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Any JSON or YAML value. @throws ApiError 400 */
export function decoded(text: string, type: string): unknown {
  try {
    return type.endsWith('yaml') ? parse(text, { maxAliasCount: 0 }) : JSON.parse(text)
  } catch (cause) {
    throw badRequest(`error decoding the body: ${cause instanceof Error ? cause.message : cause}`)
  }
}

/** An object in a body. @throws ApiError 400, 415 */
export async function readObject(request: IncomingMessage): Promise<KubeObject> {
  const type = mediaType(request)
  if (type !== '' && !objectTypes.includes(type)) throw unsupportedMediaType(objectTypes)
  const value = decoded(await readBody(request), type)
  if (!isRecord(value)) throw badRequest('the body is no object')
  const { metadata = {} } = value
  if (!isRecord(metadata)) throw badRequest('`metadata` is no map')
  return { ...value, metadata }
}

import type { IncomingMessage } from 'node:http'
import { isRecord } from '@jackstay/kube/resources'
import { parse } from 'yaml'
import type { KubeObject } from '../objects.ts'
import { fromProtobuf, protobufType } from '../types/protobuf.ts'
import { badRequest, refusal, unsupportedMediaType } from './status.ts'

/** Bytes; a real server takes as much. */
const limit = 3 * 1024 * 1024
const objectTypes = ['application/json', 'application/yaml', protobufType]

/** The media type of the body, without its parameters. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** @throws ApiError 413 */
export async function readBody(request: IncomingMessage): Promise<string> {
  return (await readBytes(request)).toString('utf8')
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
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
  return Buffer.concat(chunks)
}

/** Any JSON or YAML value. @throws ApiError 400 */
export function decoded(text: string, type: string): unknown {
  try {
    return type.endsWith('yaml') ? parse(text, { maxAliasCount: 0 }) : JSON.parse(text)
  } catch (cause) {
    throw badRequest(`error decoding the body: ${cause instanceof Error ? cause.message : cause}`)
  }
}

/** An object in a body. @throws ApiError 400, 413, 415 */
export async function readObject(request: IncomingMessage): Promise<KubeObject> {
  return (await readWritten(request)).object
}

/** An object, and the JSON that it was written as where it was. */
export interface Written {
  readonly object: KubeObject
  readonly text: string | undefined
}

/** @throws ApiError 400, 413, 415 */
export async function readWritten(request: IncomingMessage): Promise<Written> {
  const type = mediaType(request)
  if (type !== '' && !objectTypes.includes(type)) throw unsupportedMediaType(objectTypes)
  const bytes = await readBytes(request)
  const text = type === protobufType ? undefined : bytes.toString('utf8')
  const value = text === undefined ? unpacked(bytes) : decoded(text, type)
  if (!isRecord(value)) throw badRequest('the body is no object')
  const { metadata = {} } = value
  if (!isRecord(metadata)) throw badRequest('`metadata` is no map')
  return { object: { ...value, metadata }, text: type.endsWith('yaml') ? undefined : text }
}

/** The options of a deletion; nothing where none are given. @throws ApiError 400, 413 */
export async function readOptions(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBytes(request)
  if (bytes.length === 0) return {}
  const type = mediaType(request)
  if (type === protobufType) return unpacked(bytes)
  const text = bytes.toString('utf8')
  return text.trim() === '' ? {} : decoded(text, type)
}

function unpacked(bytes: Buffer): unknown {
  try {
    return fromProtobuf(bytes)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw badRequest(`error decoding the body: ${cause.message}`)
  }
}

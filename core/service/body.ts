import { JackstayError } from '@jackstay/contract/errors'
import {
  type Json,
  type JsonLimits,
  parseCanonical,
  parseLimited,
  wireLimits,
} from '@jackstay/contract/json'
import { visible } from '@jackstay/contract/text'
import type { Context } from 'hono'
import type { z } from 'zod'

/**
 * A body in canonical JSON, checked by `schema`. Anything the schema would silently drop is refused
 * as unknown (T16).
 * @throws JackstayError `invalid_request`, `too_large`, `malformed_json`, `forbidden_key`,
 *   `not_canonical`
 */
export async function readCanonical<S extends z.ZodType>(
  c: Context,
  schema: S,
  limits: JsonLimits = wireLimits,
): Promise<z.output<S>> {
  const json = parseCanonical(await readText(c, 'application/json', limits.bytes), limits)
  const value = check(schema, json)
  const dropped = firstDropped(json, value)
  if (dropped)
    throw new JackstayError('invalid_request', `\`${dropped}\`: unknown field; remove it`)
  return value
}

/**
 * A body in JSON as somebody else writes it (any order, any white space), checked by `schema`;
 * duplicate keys and numbers that would change are refused all the same (T10, T12).
 * @throws JackstayError `invalid_request`, `too_large`, `malformed_json`, `forbidden_key`
 */
export async function readJson<S extends z.ZodType>(
  c: Context,
  schema: S,
  limits: JsonLimits = wireLimits,
): Promise<z.output<S>> {
  const text = await readText(c, 'application/json', limits.bytes)
  const json = parseLimited(text, limits)
  assertExact(text, json)
  return check(schema, json)
}

/**
 * A body of exactly this media type as UTF-8.
 * @throws JackstayError `invalid_request`, `too_large`, `malformed_json`
 */
export async function readText(c: Context, mediaType: string, maxBytes: number): Promise<string> {
  const given = c.req.header('content-type') ?? ''
  const [type, ...parameters] = given.split(';').map((part) => part.trim().toLowerCase())
  const utf8 = parameters.every((part) => part === 'charset=utf-8' || part === 'charset="utf-8"')
  if (type !== mediaType || !utf8) {
    throw new JackstayError(
      'invalid_request',
      `content-type is \`${visible(given, 64)}\`; send \`${mediaType}\``,
    )
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await readBytes(c, maxBytes),
    )
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new JackstayError('malformed_json', 'the body is not UTF-8', { cause })
  }
}

async function readBytes(c: Context, maxBytes: number): Promise<Uint8Array> {
  const length = c.req.header('content-length')
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes)
  if (isSized(c)) {
    const bytes = new Uint8Array(await c.req.raw.arrayBuffer())
    if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes)
    return bytes
  }
  const body = c.req.raw.body
  if (!body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes) throw tooLarge(maxBytes) // leaving the loop cancels the stream
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** Whether the body's length was announced, and the HTTP parser therefore holds the sender to it. */
export function isSized(c: Context): boolean {
  const length = c.req.header('content-length')
  return (
    length !== undefined && /^\d+$/.test(length) && c.req.header('transfer-encoding') === undefined
  )
}

export function tooLarge(maxBytes: number): JackstayError {
  return new JackstayError('too_large', `the body exceeds ${maxBytes} bytes; send less`)
}

function check<S extends z.ZodType>(schema: S, json: Json): z.output<S> {
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const issues = result.error.issues.slice(0, 3).map((issue) => {
    const path = issue.path.map(String).join('.') || 'body'
    const message = issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
    return `\`${visible(path, 128)}\`: ${visible(message, 256)}`
  })
  throw new JackstayError('invalid_request', issues.join('; '), { cause: result.error })
}

/** The path of the first key that `json` has and `value` lost, where both are plain objects. */
function firstDropped(json: Json, value: unknown, path = ''): string | undefined {
  if (json === null || typeof json !== 'object' || value === null || typeof value !== 'object') {
    return undefined
  }
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return undefined
  for (const [key, item] of Object.entries(json)) {
    const at = path ? `${path}.${key}` : key
    if (!Object.hasOwn(value, key)) return visible(at, 128)
    const dropped = firstDropped(item, Reflect.get(value, key), at)
    if (dropped) return dropped
  }
  return undefined
}

/**
 * Two readers of the same text must see the same values. In valid JSON every colon outside a string
 * is one member, so a key given twice leaves fewer members than colons.
 */
function assertExact(text: string, json: Json): void {
  let members = 0
  const stack: Json[] = [json]
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (typeof value === 'number') assertExactNumber(value)
    if (value === null || typeof value !== 'object') continue
    const items = Object.values(value)
    if (!Array.isArray(value)) members += items.length
    for (const item of items) stack.push(item)
  }
  if (countColons(text) !== members) {
    throw new JackstayError('malformed_json', 'a key is given twice; give each key once')
  }
}

function assertExactNumber(value: number): void {
  const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
  if (exact && !Object.is(value, -0)) return
  throw new JackstayError('malformed_json', `a number reads as \`${value}\`; send it as a string`)
}

function countColons(text: string): number {
  let colons = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (inString && c === 0x5c) i++
    else if (c === 0x22) inString = !inString
    else if (!inString && c === 0x3a) colons++
  }
  return colons
}

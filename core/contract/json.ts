import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { JackstayError } from './errors.ts'

/** Any value JSON can carry. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

export type JsonMap = { readonly [key: string]: Json }

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

export interface JsonLimits {
  /** Bytes of UTF-8. */
  readonly bytes: number
  /** Levels of nesting. */
  readonly depth: number
  /** Keys and items altogether. */
  readonly nodes: number
}

export const wireLimits: JsonLimits = { bytes: 64 * 1024, depth: 16, nodes: 4096 }

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])

/** SHA-256 as `sha256:<hex>`, the form every digest of ours has. */
export type Digest = `sha256:${string}`

export function sha256(data: string | Uint8Array): Digest {
  return `sha256:${hash('sha256', data, 'hex')}`
}

/**
 * RFC 8785 canonical form.
 * @throws JackstayError `not_canonical` for values JSON cannot carry (NaN, Infinity, lone surrogates).
 */
export function canonical(value: unknown): string {
  if (typeof value === 'string' && isPlainText(value)) return `"${value}"`
  // what is in order, the engine's own serialiser writes the same way and faster
  const ordered = inOrder(value, 32)
  if (ordered !== outside) return JSON.stringify(ordered)
  try {
    const text = canonicalize(value)
    if (text === undefined) throw new TypeError('no JSON value')
    return text
  } catch (cause) {
    throw new JackstayError('not_canonical', 'the value has no canonical JSON form', { cause })
  }
}

const encoder = new TextEncoder()
/** Only ever holds the text that is being looked at. */
const scratch = new Uint8Array(16 * 1024)
const words = new Uint32Array(scratch.buffer)

/**
 * Whether a long text of ASCII needs no escape, four characters at a time: the engine's serialiser
 * takes 2.4 ns for each, which is most of what a long text costs. False is no statement.
 */
function isPlainText(text: string): boolean {
  if (text.length < 64 || text.length > scratch.length) return false
  const { read, written } = encoder.encodeInto(text, scratch)
  if (read !== text.length || written !== text.length) return false
  scratch.fill(0x20, written, Math.ceil(written / 4) * 4)
  for (let i = 0; i * 4 < written; i++) {
    const word = words[i] ?? 0
    const quote = word ^ 0x22222222
    const backslash = word ^ 0x5c5c5c5c
    const control = (word - 0x20202020) & ~word
    const found =
      control | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash)
    if ((found & 0x80808080) !== 0) return false
  }
  return true
}

/** What {@link inOneOrder} gave. It stays so: nobody may change it, by its type. */
const known = new WeakSet<object>()

/** What only the library knows how to write, or to refuse. */
const outside = Symbol('outside')

/**
 * The value with its keys in the order of RFC 8785 and without members that are `undefined`: itself where
 * it is so already. `outside` for what is no plain JSON at most `depth` deep.
 */
function inOrder(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : outside
  if (typeof value === 'number') return Number.isFinite(value) ? value : outside
  if (value === null || typeof value === 'boolean') return value
  if (typeof value !== 'object' || depth === 0) return outside
  if (known.has(value)) return value
  if (Array.isArray(value)) return listInOrder(value, depth - 1)
  return isPlain(value) ? mapInOrder(value, depth - 1) : outside
}

type Members = { readonly [key: string]: unknown }

function isPlain(value: object): value is Members {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function listInOrder(list: readonly unknown[], depth: number): unknown {
  if ('toJSON' in list) return outside
  let copy: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const ordered = inOrder(list[i], depth)
    if (ordered === outside) return outside
    if (ordered !== list[i]) copy ??= list.slice(0, i)
    copy?.push(ordered)
  }
  return copy ?? list
}

function mapInOrder(map: Members, depth: number): unknown {
  const given = Object.keys(map)
  const sorted = isSorted(given)
  const keys = sorted ? given : given.sort()
  let copy: { [key: string]: unknown } | undefined = sorted ? undefined : {}
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? ''
    // a key that looks like a number stands where the engine wants it
    if (!key.isWellFormed() || isNumeric(key) || key === '__proto__') return outside
    const member = map[key]
    const ordered = member === undefined ? undefined : inOrder(member, depth)
    if (ordered === outside) return outside
    if (ordered === undefined || ordered !== member) copy ??= first(map, keys, i)
    if (copy !== undefined && ordered !== undefined) copy[key] = ordered
  }
  return copy ?? map
}

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if ((keys[i] ?? '') <= (keys[i - 1] ?? '')) return false
  return true
}

function isNumeric(key: string): boolean {
  const c = key.charCodeAt(0)
  return c >= 0x30 && c <= 0x39
}

function first(map: Members, keys: readonly string[], count: number): { [key: string]: unknown } {
  const copy: { [key: string]: unknown } = {}
  for (const key of keys.slice(0, count)) copy[key] = map[key]
  return copy
}

/**
 * A value as the JSON that is written of it: nothing in it is `undefined`.
 * @throws JackstayError `not_canonical` for what JSON cannot carry
 */
export function asJson(value: unknown): Json {
  const ordered = inOrder(value, 32)
  if (ordered === outside) return JSON.parse(canonical(value))
  if (typeof ordered === 'object' && ordered !== null) known.add(ordered)
  return ordered as Json
}

/** The same value put in order once: wherever it is written, alone or within another, it is not gone through again. */
export function inOneOrder<T extends object>(value: T): T {
  return asJson(value) as T
}

/**
 * The canonical form of one value, kept for whoever writes the same value again. It is told for this very
 * value and no other, so that nothing can be written whose text says something else.
 */
export class CanonicalText {
  readonly #value: Json
  readonly #text: string

  /** @throws JackstayError `not_canonical` */
  constructor(value: Json) {
    this.#value = value
    this.#text = canonical(value)
  }

  of(value: Json): string | undefined {
    return value === this.#value ? this.#text : undefined
  }
}

/** The digest of a value: SHA-256 over its canonical form. */
export function digestOf(value: unknown): Digest {
  return sha256(canonical(value))
}

/**
 * Parses hostile JSON and accepts only its canonical form, which refuses duplicate keys, 1e400, −0,
 * 2^53+1, reordering and white space in one comparison. Size is checked before parsing, depth and
 * prototype keys after; `JSON.parse` itself does not recurse on the stack per level of our limit.
 * @throws JackstayError `too_large`, `malformed_json`, `forbidden_key`, `not_canonical`
 */
export function parseCanonical(text: string, limits: JsonLimits = wireLimits): Json {
  const value = parseLimited(text, limits)
  if (canonical(value) !== text) {
    throw new JackstayError(
      'not_canonical',
      'the JSON differs from its canonical form: sort keys, use no white space, no duplicate keys and only exact numbers (RFC 8785)',
    )
  }
  return value
}

/**
 * Parses JSON that somebody else formats (Alertmanager, a person): same limits and key rules, any
 * white space and order.
 * @throws JackstayError `too_large`, `malformed_json`, `forbidden_key`
 */
export function parseLimited(text: string, limits: JsonLimits = wireLimits): Json {
  if (text.length > limits.bytes || Buffer.byteLength(text) > limits.bytes) {
    throw new JackstayError('too_large', `the JSON exceeds ${limits.bytes} bytes`)
  }
  assertDepth(text, limits.depth)
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (cause) {
    throw new JackstayError('malformed_json', 'the body is not JSON', { cause })
  }
  assertPlain(value, limits)
  return value
}

/** Refuses nesting beyond `depth` before the parser sees it. */
function assertDepth(text: string, depth: number): void {
  let level = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x7b || c === 0x5b) {
      if (++level > depth)
        throw new JackstayError('too_large', `the JSON nests deeper than ${depth}`)
    } else if (c === 0x7d || c === 0x5d) level--
  }
}

function assertPlain(root: Json, limits: JsonLimits): void {
  const stack: Json[] = [root]
  let nodes = 0
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (++nodes > limits.nodes) {
      throw new JackstayError('too_large', `the JSON has more than ${limits.nodes} values`)
    }
    if (typeof value === 'string' && !value.isWellFormed()) {
      throw new JackstayError('malformed_json', 'a string contains a lone surrogate')
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new JackstayError('malformed_json', 'a number is beyond the range of a double')
    }
    if (value === null || typeof value !== 'object') continue
    if (Array.isArray(value)) {
      for (const item of value as readonly Json[]) stack.push(item)
      continue
    }
    for (const [key, item] of Object.entries(value)) {
      if (!key.isWellFormed()) {
        throw new JackstayError('malformed_json', 'a key contains a lone surrogate')
      }
      if (forbiddenKeys.has(key)) {
        throw new JackstayError('forbidden_key', `the key \`${key}\` is not allowed; remove it`)
      }
      stack.push(item)
    }
  }
}

import { isRecord } from '@jackstay/kube/resources'
import { applyPatch, type Operation } from 'rfc6902'
import { type JsonMap, own } from './json.ts'
import { goKind } from './merge-patch.ts'
import { badPatch, PatchRefusal, unprocessable } from './refusal.ts'

const mostOperations = 10_000

/**
 * Applies a JSON patch (RFC 6902) to an object, with the liberties that the API server takes: an
 * index may count from the end, a missing field can be replaced, and tests as null.
 * @throws PatchRefusal 400 for what is no JSON patch, 413 for too many operations, 422 for one that
 *   does not apply
 */
export function applyJsonPatch(target: JsonMap, patch: unknown): JsonMap {
  if (!Array.isArray(patch) || !patch.every(isRecord)) {
    const kind = goKind(Array.isArray(patch) ? patch.find((one) => !isRecord(one)) : patch)
    const type = Array.isArray(patch) ? 'handlers.jsonPatchOp' : '[]handlers.jsonPatchOp'
    throw badPatch(
      `error decoding patch: json: cannot unmarshal ${kind} into Go value of type ${type}`,
    )
  }
  if (patch.length > mostOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${mostOperations}, got ${patch.length}`
    throw new PatchRefusal(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`)
  }
  // the library works in place, and wants a root that it can replace
  const document = { root: structuredClone(target) as unknown }
  for (const operation of patch) applyOne(document, operation)
  if (!isRecord(document.root)) throw unprocessable('the patch leaves no object')
  return document.root
}

function applyOne(document: { root: unknown }, asked: JsonMap): void {
  const operation = readOperation(asked, document)
  if (operation === undefined) return
  const [error] = applyPatch(document, [operation])
  if (error) throw unprocessable(`\`${operation.op}\` of \`${operation.path}\`: ${error.message}`)
}

/** The operation as the library takes it, or undefined where there is nothing left to do. */
function readOperation(asked: JsonMap, document: { root: unknown }): Operation | undefined {
  const { op } = asked
  const place = (field: 'path' | 'from') => {
    const pointer = own(asked, field)
    // the API server knows the object as a whole only for these two
    if (pointer === '' && op !== 'replace' && op !== 'test') {
      throw unprocessable(`nothing to ${String(op)} at \`\``)
    }
    return placeIn(document, pointer, op)
  }
  const value = (): unknown => {
    if (Object.hasOwn(asked, 'value')) return asked.value
    throw unprocessable(`the operation \`${op}\` has no \`value\``)
  }
  switch (op) {
    case 'add':
      return { op, path: place('path').pointer, value: value() }
    case 'remove':
      return { op, path: existing(place('path'), op).pointer }
    case 'replace': {
      const { pointer, found, inList } = place('path')
      if (!found && inList) throw unprocessable(`nothing to replace at \`${pointer}\``)
      return { op: found ? 'replace' : 'add', path: pointer, value: value() }
    }
    case 'test': {
      const { pointer, found } = place('path')
      if (!found && value() === null) return undefined
      return { op, path: pointer, value: value() }
    }
    case 'move':
    case 'copy':
      return { op, from: existing(place('from'), op).pointer, path: place('path').pointer }
    default:
      throw unprocessable(`\`${String(op)}\` is no operation`)
  }
}

interface Place {
  /** In the document, below its root. */
  readonly pointer: string
  readonly found: boolean
  readonly inList: boolean
}

function existing(place: Place, op: unknown): Place {
  if (place.found) return place
  throw unprocessable(`nothing to ${String(op)} at \`${place.pointer}\``)
}

/**
 * Walks to where a pointer points by own fields alone. The library would follow inherited ones, and a
 * patch of `/toString/call` would reach every function of the process.
 */
function placeIn(document: { root: unknown }, pointer: unknown, op: unknown): Place {
  if (typeof pointer !== 'string') throw unprocessable(`a \`${String(op)}\` without path`)
  if (pointer === '') return { pointer: '/root', found: true, inList: false }
  const [first, ...tokens] = pointer.split('/')
  const missing = () => unprocessable(`\`${String(op)}\`: no such path \`${pointer}\``)
  if (first !== '') throw missing()
  let parent: unknown = document.root
  let resolved = '/root'
  for (const [i, token] of tokens.entries()) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (reserved.has(key)) throw missing()
    const at = step(parent, key)
    if (at === undefined) throw missing()
    resolved += `/${at.token.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const found = at.value !== undefined
    if (i === tokens.length - 1) {
      return { pointer: resolved, found, inList: Array.isArray(parent) }
    }
    if (!found) throw missing()
    parent = at.value
  }
  throw missing()
}

/** The library passes these over in silence; no field of Kubernetes is called so. */
const reserved = new Set(['__proto__', 'constructor', 'prototype'])

function step(parent: unknown, key: string): { token: string; value: unknown } | undefined {
  if (isRecord(parent)) return { token: key, value: own(parent, key) }
  if (!Array.isArray(parent)) return undefined
  if (key === '-') return { token: key, value: undefined }
  if (!/^-?\d+$/.test(key)) return undefined
  const index = Number(key) < 0 ? parent.length + Number(key) : Number(key)
  if (index < 0 || index > parent.length) return undefined
  return { token: String(index), value: parent[index] }
}

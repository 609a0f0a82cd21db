import { tokens } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import type { ObjectRef, PlannedWrite, Reading } from '@jackstay/contract/plan'
import { nameOf } from './action.ts'

/** A field as it is and as it shall be; undefined where it is absent. */
export interface FieldWrite {
  /** JSON pointer to a member of a map. */
  readonly path: string
  readonly before: Json | undefined
  readonly after: Json | undefined
}

export function reading(ref: ObjectRef, path: string, value: Json | undefined): Reading {
  return { of: nameOf(ref), path, value: value === undefined ? 'absent' : { is: value } }
}

/** One merge patch over some fields of an object, with the patch that restores them. */
export function fieldWrite(ref: ObjectRef, fields: readonly FieldWrite[]): PlannedWrite {
  return {
    id: 'w1',
    verb: 'patch',
    object: ref,
    body: patchOf(fields.map(({ path, after }) => ({ path, value: after }))),
    before: fields.map(({ path, before }) => reading(ref, path, before)),
    after: fields.map(({ path, after }) => reading(ref, path, after)),
    inverse: { body: patchOf(fields.map(({ path, before }) => ({ path, value: before }))) },
  }
}

type Tree = { [key: string]: Json }

function patchOf(fields: readonly { readonly path: string; readonly value: Json | undefined }[]) {
  const patch: Tree = Object.create(null)
  for (const { path, value } of fields) {
    const keys = tokens(path)
    const last = keys.pop() ?? ''
    let at = patch
    for (const key of keys) {
      const below = (at[key] ?? {}) as Tree
      at[key] = below
      at = below
    }
    at[last] = value ?? null
  }
  return { ...patch }
}

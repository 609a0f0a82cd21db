import { atomic, fields, keyed, type Shape, set, texts } from './shape.ts'

/** What every object has; free keys, as of labels, are values and need no word. */
export const objectMeta: Shape = fields({
  annotations: texts,
  finalizers: { ...set, patch: 'merge' },
  labels: texts,
  ownerReferences: keyed('uid', atomic),
})

/** An object of its own or within another. */
export function object(
  known: Readonly<Record<string, Shape>> = {},
  always: Readonly<Record<string, unknown>> = {},
): Shape {
  return fields({ metadata: objectMeta, ...known }, { metadata: {}, ...always })
}

export const conditions: Shape = keyed('type')
export const statusWithConditions: Shape = fields({ conditions })

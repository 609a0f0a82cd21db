import { isRecord } from '@jackstay/kube/resources'

type Step = (values: readonly unknown[]) => readonly unknown[]

const part =
  /\.([A-Za-z_][\w-]*|\*)|\[(\d+|\*)\]|\['([^']*)'\]|\[\?\(@((?:\.[\w-]+)+)\s*==\s*(?:"([^"]*)"|'([^']*)'|([\w.]+))\)\]/gy

/**
 * Compiles the JSONPath of a printer column: fields, indices, `*`, and one comparison such as
 * `.status.conditions[?(@.type=="Ready")].status`.
 * @throws Error for anything else
 */
export function jsonPath(source: string): (value: unknown) => readonly unknown[] {
  const steps: Step[] = []
  let end = 0
  for (const match of source.matchAll(part)) {
    steps.push(stepOf(match))
    end = match.index + match[0].length
  }
  if (end !== source.length) throw new TypeError(`the JSONPath \`${source}\` is not understood`)
  return (value) => steps.reduce<readonly unknown[]>((values, step) => step(values), [value])
}

function stepOf([, field, index, quoted, of, ...literals]: RegExpMatchArray): Step {
  const name = field ?? quoted ?? index
  if (name === '*') return (values) => values.flatMap(all)
  if (name !== undefined) return (values) => values.flatMap((value) => under(value, name))
  const path = (of ?? '').split('.').slice(1)
  const literal = literals.find((one) => one !== undefined) ?? ''
  const holds = (item: unknown) =>
    path.reduce<readonly unknown[]>((now, key) => now.flatMap((one) => under(one, key)), [item])
  return (values) =>
    values.flatMap(all).filter((item) => holds(item).some((found) => String(found) === literal))
}

function all(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return isRecord(value) ? Object.values(value) : []
}

function under(value: unknown, key: string): readonly unknown[] {
  if (Array.isArray(value))
    return /^\d+$/.test(key) && Number(key) < value.length ? [value[Number(key)]] : []
  return isRecord(value) && value[key] !== undefined ? [value[key]] : []
}

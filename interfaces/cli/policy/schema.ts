import { nearest } from '@jackstay/judge/fields'
import { z } from 'zod'
import type { Mistake, Path, Written } from './yaml.ts'

type Issue = z.core.$ZodIssue

/**
 * Everything that a schema has against a value, in our words and where it stands. `under` leads
 * from the document to the value. `own` says which issues somebody else words better.
 */
export function schemaMistakes(
  schema: z.ZodType,
  document: Written,
  under: Path = [],
  own: (issue: Issue) => boolean = () => false,
): Mistake[] {
  const value = valueAt(document.value, under)
  const { error } = schema.safeParse(value)
  const issues = (error?.issues ?? []).filter((issue) => !own(issue))
  const guessed = new Set(issues.flatMap((issue) => guesses(schema, issue)))
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return unknownKeys(schema, issue, document, under)
    const path = [...under, ...issue.path]
    const given = valueAt(value, issue.path)
    // a misspelt field is said once, not once more as a missing one
    if (given === undefined && guessed.has(pathKey(issue.path))) return []
    const place = given === undefined ? document.placeOfKey(path) : document.placeOf(path)
    const suggestion =
      issue.code === 'invalid_value' ? nearest(shown(given), issue.values.map(String)) : undefined
    return [{ severity: 'error', place, message: worded(issue, path, given), suggestion }]
  })
}

export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = Reflect.get(at, step)
  }
  return at
}

function unknownKeys(
  schema: z.ZodType,
  issue: Extract<Issue, { code: 'unrecognized_keys' }>,
  document: Written,
  under: Path,
): Mistake[] {
  const known = keysAt(schema, issue.path)
  return issue.keys.map((key) => ({
    severity: 'error',
    place: document.placeOfKey([...under, ...issue.path, key]),
    message: `unknown field \`${key}\`; there are ${known.join(', ')}`,
    suggestion: nearest(key, known),
  }))
}

/** The fields that unknown ones were probably meant to be. */
function guesses(schema: z.ZodType, issue: Issue): string[] {
  if (issue.code !== 'unrecognized_keys') return []
  const known = keysAt(schema, issue.path)
  return issue.keys
    .map((key) => nearest(key, known))
    .filter((key) => key !== undefined)
    .map((key) => pathKey([...issue.path, key]))
}

function pathKey(path: Path): string {
  return JSON.stringify(path.map(String))
}

/** The fields that a schema knows at a path. */
function keysAt(schema: unknown, path: Path): string[] {
  const bare = unwrapped(schema)
  const [step, ...rest] = path
  if (bare instanceof z.ZodObject) {
    const shape: Readonly<Record<string, unknown>> = bare.shape
    return step === undefined ? Object.keys(shape) : keysAt(shape[String(step)], rest)
  }
  if (step === undefined) return []
  if (bare instanceof z.ZodArray) return keysAt(bare.element, rest)
  if (bare instanceof z.ZodRecord) return keysAt(bare.valueType, rest)
  return []
}

function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return unwrapped(schema.unwrap())
  }
  return schema
}

function worded(issue: Issue, path: Path, given: unknown): string {
  const name = nameOf(path)
  if (given === undefined) return `${name} is missing`
  switch (issue.code) {
    case 'invalid_type':
      return `${name} is ${kindOf(given)} and must be ${expected(issue.expected)}${quoteIt(issue.expected, given)}`
    case 'invalid_value':
      return `${name} is \`${shown(given)}\`; there are ${issue.values.map(String).join(', ')}`
    case 'too_small':
      if (Number(issue.minimum) === 1 && issue.origin !== 'number') return `${name} is empty`
      return `${name} is less than ${issue.minimum}${unit(issue.origin)}`
    case 'too_big':
      return `${name} is more than ${issue.maximum}${unit(issue.origin)}`
    case 'invalid_format':
      return `${name} is \`${shown(given)}\` and ${issue.message}`
    case 'invalid_union':
      return `${name} is ${kindOf(given)}, which cannot be`
    default:
      return `${name}: ${issue.message}`
  }
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters'
  return origin === 'array' ? ' entries' : ''
}

function nameOf(path: Path): string {
  const names = path.map((step, i) =>
    typeof step === 'number' ? `[${step}]` : i === 0 ? String(step) : `.${String(step)}`,
  )
  return names.length === 0 ? 'the document' : `\`${names.join('')}\``
}

/** What YAML made of something without quotes. */
function quoteIt(type: string, given: unknown): string {
  const plain = typeof given === 'boolean' || typeof given === 'number'
  return type === 'string' && plain ? `; write it in quotes: \`"${given}"\`` : ''
}

function expected(type: string): string {
  switch (type) {
    case 'string':
      return 'text'
    case 'int':
    case 'number':
      return 'a number'
    case 'array':
      return 'a list'
    case 'object':
    case 'record':
      return 'a map of fields'
    case 'boolean':
      return 'true or false'
    case 'date':
      return 'a time such as `2026-03-04T12:00:00Z`'
    default:
      return type
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map of fields'
  return typeof value === 'string' ? `the text \`${shown(value)}\`` : `\`${String(value)}\``
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return text.length > 64 ? `${text.slice(0, 63)}…` : text
}

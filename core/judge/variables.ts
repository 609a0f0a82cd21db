import { z } from 'zod'
import { facts } from './facts.ts'

/** One row of the reference: a variable or a field that a rule can name. */
export interface Variable {
  /** `plan.writes[].path`; `[]` stands for each item, `{}` for each value of a map. */
  readonly path: string
  readonly type: string
  readonly text: string
}

/**
 * Everything that rules can name, depth first, from the schema that validates the values.
 * @throws TypeError where the schema does not describe a field
 */
export function variables(): readonly Variable[] {
  return Object.entries(facts.shape).flatMap(([name, schema]) => rows(name, schema))
}

function rows(path: string, schema: z.ZodType): Variable[] {
  const text = schema.description
  if (text === undefined) throw new TypeError(`\`${path}\` needs \`.describe\` in facts.ts`)
  return [{ path, type: typeName(schema), text }, ...fields(path, schema)]
}

function fields(path: string, schema: unknown): Variable[] {
  if (schema instanceof z.ZodExactOptional) return fields(path, schema.unwrap())
  if (schema instanceof z.ZodArray) return fields(`${path}[]`, schema.element)
  if (schema instanceof z.ZodRecord) return fields(`${path}{}`, schema.valueType)
  if (!(schema instanceof z.ZodObject)) return []
  return Object.entries(schema.shape).flatMap(([name, s]) => rows(`${path}.${name}`, s))
}

/** The type as CEL names it. */
function typeName(schema: unknown): string {
  if (schema instanceof z.ZodExactOptional) return `${typeName(schema.unwrap())}, may be absent`
  if (schema instanceof z.ZodObject) return 'object'
  if (schema instanceof z.ZodArray) return `list(${typeName(schema.element)})`
  if (schema instanceof z.ZodRecord) return `map(string, ${typeName(schema.valueType)})`
  if (schema instanceof z.ZodEnum) return schema.options.map((o) => `"${o}"`).join(' or ')
  if (schema instanceof z.ZodString) return 'string'
  if (schema instanceof z.ZodNumber) return 'int'
  if (schema instanceof z.ZodBoolean) return 'bool'
  if (schema instanceof z.ZodDate) return 'timestamp'
  return 'any'
}

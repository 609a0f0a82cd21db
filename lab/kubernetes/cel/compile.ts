import type {
  Constant,
  Expr,
  Expr_Call,
  Expr_CreateStruct,
  Expr_Select,
} from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { macroCall } from './bindings.ts'
import { comprehension } from './comprehensions.ts'
import { functions } from './functions.ts'
import { logical } from './logic.ts'
import { binary, indexed, negative } from './operators.ts'
import { pattern } from './strings.ts'
import { optionalField, optionalIndex, readExpression } from './syntax.ts'
import {
  at,
  CelError,
  type CelValue,
  Double,
  isMap,
  type Key,
  noOverload,
  Optional,
  TypeName,
  Uint,
} from './values.ts'

/** One evaluation: the variables by name, and those of macros by number. */
export interface Frame {
  readonly variables: Readonly<Record<string, CelValue>>
  readonly locals: CelValue[]
}

/** @throws CelError for whatever goes wrong */
export type Evaluate = (frame: Frame) => CelValue

export interface Scope {
  readonly variables: ReadonlySet<string>
  readonly locals: ReadonlyMap<string, number>
  readonly given: number
}

/** A compiled expression over variables by name. @throws CelError for whatever goes wrong */
export type Program = (variables: Readonly<Record<string, CelValue>>) => CelValue

/**
 * Compiles one expression. Parsing is the library's, evaluation ours: over JSON as it stands, with optional
 * fields, which the library lacks, and with the errors that the API server gives.
 * @throws Error for what does not parse, and for names that are no variable or function
 */
export function compileExpression(source: string, variables: readonly string[]): Program {
  const scope = { variables: new Set(variables), locals: new Map(), given: 0 }
  const evaluate = compileNode(readExpression(source), scope)
  return (values) => evaluate({ variables: values, locals: [] })
}

export function compileNode(node: Expr, scope: Scope): Evaluate {
  const { exprKind } = node
  switch (exprKind.case) {
    case 'constExpr': {
      const value = constant(exprKind.value.constantKind)
      return () => value
    }
    case 'identExpr':
      return identifier(exprKind.value.name, scope)
    case 'selectExpr':
      return select(exprKind.value, scope)
    case 'listExpr': {
      const items = exprKind.value.elements.map((item) => compileNode(item, scope))
      return (frame) => items.map((item) => item(frame))
    }
    case 'structExpr':
      return struct(exprKind.value, scope)
    case 'callExpr':
      return call(exprKind.value, scope)
    case 'comprehensionExpr':
      return comprehension(exprKind.value, scope)
    default:
      throw new TypeError('not an expression')
  }
}

export function part(node: Expr | undefined): Expr {
  if (node === undefined) throw new TypeError('a part of the expression is missing')
  return node
}

function constant({ case: kind, value }: Constant['constantKind']): CelValue {
  switch (kind) {
    case 'stringValue':
    case 'bytesValue':
    case 'boolValue':
    case 'int64Value':
      return value
    case 'doubleValue':
      return new Double(value)
    case 'uint64Value':
      return new Uint(value)
    default:
      return null
  }
}

const types = new Set(
  ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'null_type', 'type'].concat(
    'optional_type',
  ),
)

function identifier(name: string, scope: Scope): Evaluate {
  const number = scope.locals.get(name)
  if (number !== undefined) return ({ locals }) => locals[number]
  if (scope.variables.has(name)) return ({ variables }) => variables[name] ?? null
  if (!types.has(name)) throw new TypeError(`undeclared reference to '${name}'`)
  const type = new TypeName(name)
  return () => type
}

/** `a.b`, `a.?b` and `has(a.b)`; once one field is optional, those after it are too. */
function select({ operand, field: written, testOnly }: Expr_Select, scope: Scope): Evaluate {
  const of = compileNode(part(operand), scope)
  const optional = written.startsWith(optionalField)
  const field = optional ? written.slice(optionalField.length) : written
  return (frame) => {
    const value = of(frame)
    const from = value instanceof Optional ? value.value : value
    const found = isMap(from) ? at(from, field) : undefined
    if (testOnly) return found !== undefined
    if (optional || value instanceof Optional) {
      return found === undefined ? Optional.none : new Optional(found)
    }
    if (found === undefined) throw new CelError(`no such key: ${field}`)
    return found
  }
}

function struct({ entries, messageName }: Expr_CreateStruct, scope: Scope): Evaluate {
  if (messageName !== '') throw new TypeError(`undeclared reference to '${messageName}'`)
  const compiled = entries.map(({ keyKind, value }) => {
    if (keyKind.case !== 'mapKey') throw new TypeError('expressions can make no messages')
    return [compileNode(keyKind.value, scope), compileNode(part(value), scope)] as const
  })
  return (frame) => {
    const map = new Map<Key, CelValue>()
    for (const [key, value] of compiled) map.set(keyOf(key(frame)), value(frame))
    return map
  }
}

function keyOf(value: CelValue): Key {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') {
    return value
  }
  throw new CelError('unsupported key type')
}

function call(node: Expr_Call, scope: Scope): Evaluate {
  const { function: name, target, args } = node
  const macro = logical(node, scope) ?? macroCall(node, scope)
  if (macro !== undefined) return macro
  const values = args.map((arg) => compileNode(arg, scope))
  if (target === undefined) return global(name, values)
  const namespaced = target.exprKind.case === 'identExpr' ? target.exprKind.value.name : ''
  const full = functions[`${namespaced}.${name}`]
  if (namespaced !== '' && full !== undefined) return (frame) => full(...run(values, frame))
  const on = compileNode(target, scope)
  if (name === optionalIndex) return optionalAt(on, values)
  if (name === 'matches') return matching(on, args, values)
  const method = functions[`.${name}`]
  if (method === undefined) throw new TypeError(`undeclared reference to '${name}'`)
  return (frame) => method(on(frame), ...run(values, frame))
}

function run(values: readonly Evaluate[], frame: Frame): CelValue[] {
  return values.map((value) => value(frame))
}

function global(name: string, values: readonly Evaluate[]): Evaluate {
  const [one, other] = values
  const operator = binary[name]
  if (operator !== undefined && one !== undefined && other !== undefined) {
    if (name === '_[_]') return (frame) => throughOptional(one(frame), other(frame), operator)
    return (frame) => operator(one(frame), other(frame))
  }
  if (name === '-_' && one !== undefined) return (frame) => negative(one(frame))
  const called = functions[name]
  if (called === undefined) throw new TypeError(`undeclared reference to '${name}'`)
  return (frame) => called(...run(values, frame))
}

function throughOptional(
  of: CelValue,
  key: CelValue,
  index: (of: CelValue, key: CelValue) => CelValue,
): CelValue {
  if (!(of instanceof Optional)) return index(of, key)
  const found = indexed(of.value, key)
  return found === undefined ? Optional.none : new Optional(found)
}

function optionalAt(on: Evaluate, [key]: readonly Evaluate[]): Evaluate {
  if (key === undefined) throw new TypeError('an index is missing')
  return (frame) => {
    const of = on(frame)
    const found = indexed(of instanceof Optional ? of.value : of, key(frame))
    return found === undefined ? Optional.none : new Optional(found)
  }
}

/** A literal pattern is compiled once. */
function matching(on: Evaluate, args: readonly Expr[], values: readonly Evaluate[]): Evaluate {
  const [node] = args
  const [value] = values
  if (node === undefined || value === undefined) throw new TypeError('a pattern is missing')
  const literal = node.exprKind.case === 'constExpr' ? node.exprKind.value.constantKind : undefined
  const fixed = literal?.case === 'stringValue' ? pattern(literal.value) : undefined
  return (frame) => {
    const text = on(frame)
    const source = value(frame)
    if (typeof text !== 'string' || typeof source !== 'string') throw noOverload()
    return (fixed ?? pattern(source)).test(text)
  }
}

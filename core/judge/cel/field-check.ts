import type {
  Constant,
  Expr,
  Expr_Call,
  Expr_Comprehension,
} from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { RE2JS } from '@bufbuild/re2'
import { anything, type FieldType, nearest } from './fields.ts'
import { calendarFunctions } from './functions/calendar.ts'
import { macros, ruleFunctions } from './functions/table.ts'
import { isZone } from './functions/zones.ts'
import { children, type ExpressionProblem, type Syntax, textOf } from './syntax.ts'

/** What the checker found out about an expression that has no problem. */
export interface Checked {
  /** Of the whole, as far as the fields tell. */
  readonly type: FieldType
  /** Nodes that fail where a key or an item is absent. */
  readonly optional: ReadonlySet<Expr>
  /** The regular expressions it uses. */
  readonly patterns: readonly string[]
  /** The time zones it uses. */
  readonly zones: readonly string[]
}

type Scope = ReadonlyMap<string, FieldType>

const typeNames = new Set('bool bytes double int list map null_type string type uint'.split(' '))
/** As the parser names them; `@not_strictly_false` is part of `all` and `exists`. */
const operators =
  '!_ -_ @in @not_strictly_false _!=_ _%_ _&&_ _*_ _+_ _-_ _/_ _<=_ _<_ _==_ _>=_ _>_ _?:_ _?_:_ _[_] _||_'
const documented = ruleFunctions.flatMap((family) => family.functions.map((f) => f.name))
const functions = new Set([...operators.split(' '), ...documented])
const dotted = documented.filter((name) => name.includes('.'))
const prefixes = new Set(dotted.map((name) => name.split('.', 1).join()))
/** Macros are gone after parsing, yet a misspelt one should be told its name. */
const spellable = [...documented, ...macros.map((m) => m.name)]

/** Characters of one regular expression. */
const maxPattern = 256
/** Largest `{n}`: repetition multiplies the automaton. */
const maxRepeat = 64

/** Thrown inside a check alone and caught at its door: the first problem ends it. */
class Found extends Error {
  readonly node: Expr
  readonly suggestion: string | undefined

  constructor(node: Expr, message: string, suggestion?: string) {
    super(message)
    this.node = node
    this.suggestion = suggestion
  }
}

/** Refuses names, fields, functions and regular expressions that cannot work. */
export function checkFields(
  syntax: Syntax,
  variables: ReadonlyMap<string, FieldType>,
): Checked | { readonly problem: ExpressionProblem } {
  const findings: Findings = { optional: new Set(), patterns: [], zones: [] }
  try {
    return { ...findings, type: check(syntax.root, variables, findings) }
  } catch (error) {
    if (!(error instanceof Found)) throw error
    const { node, message, suggestion } = error
    const place = syntax.position(node)
    return { problem: { ...place, message, ...(suggestion !== undefined && { suggestion }) } }
  }
}

interface Findings {
  readonly optional: Set<Expr>
  readonly patterns: string[]
  readonly zones: string[]
}

function check(node: Expr, scope: Scope, findings: Findings): FieldType {
  const { exprKind } = node
  switch (exprKind.case) {
    case 'constExpr':
      return constantType(node, exprKind.value.constantKind)
    case 'identExpr':
      return variable(node, exprKind.value.name, scope)
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value
      const from = operand ? check(operand, scope, findings) : anything
      const type = fieldOf(node, from, field)
      if (!testOnly && mayLack(from, field)) findings.optional.add(node)
      return testOnly ? anything : type
    }
    case 'callExpr':
      return call(node, exprKind.value, scope, findings)
    case 'comprehensionExpr':
      return comprehension(node, exprKind.value, scope, findings)
    case 'structExpr':
      if (exprKind.value.messageName !== '') {
        throw new Found(node, `\`${exprKind.value.messageName}\` is not a type that rules can make`)
      }
      for (const child of children(node)) check(child, scope, findings)
      return { kind: 'map', value: anything }
    case 'listExpr':
      for (const child of children(node)) check(child, scope, findings)
      return { kind: 'list', element: anything }
    default:
      throw new Found(node, 'not an expression')
  }
}

function constantType(node: Expr, { case: kind, value }: Constant['constantKind']): FieldType {
  if (kind === 'int64Value' && (value < -(2n ** 63n) || value >= 2n ** 63n)) {
    throw new Found(node, `\`${value}\` does not fit into 64 bits`)
  }
  if (kind === 'uint64Value' && value >= 2n ** 64n) {
    throw new Found(node, `\`${value}u\` does not fit into 64 bits`)
  }
  if (kind === 'doubleValue' && !Number.isFinite(value)) {
    throw new Found(node, 'the number is too large for a double')
  }
  if (kind === 'boolValue') return anything
  return kind === 'stringValue' ? { kind: 'text' } : { kind: 'scalar' }
}

function variable(node: Expr, name: string, scope: Scope): FieldType {
  const type = scope.get(name)
  if (type !== undefined) return type
  if (typeNames.has(name)) return { kind: 'scalar' }
  const known = [...scope.keys()].filter((n) => !n.startsWith('@'))
  const suggestion = nearest(name, known)
  throw new Found(node, `unknown variable \`${name}\`; there are ${known.join(', ')}`, suggestion)
}

function fieldOf(node: Expr, from: FieldType, field: string): FieldType {
  switch (from.kind) {
    case 'anything':
      return anything
    case 'map':
      return from.value
    case 'object': {
      const type = from.fields.get(field)
      if (type !== undefined) return type
      const known = [...from.fields.keys()]
      const message = `unknown field \`${field}\`; there are ${known.join(', ')}`
      throw new Found(node, message, nearest(field, known))
    }
    default:
      throw new Found(node, `\`${field}\` is asked of a value that has no fields`)
  }
}

function mayLack(from: FieldType, field: string): boolean {
  if (from.kind === 'object') return from.optional.has(field)
  return from.kind === 'map' || from.kind === 'anything' || from.kind === 'list'
}

function call(node: Expr, value: Expr_Call, scope: Scope, findings: Findings): FieldType {
  const name = value.function
  if (name === 'has')
    throw new Found(node, 'write `has(a.b)`; for a key in brackets write `"key" in …`')
  const qualified = qualifiedName(value, scope)
  if (qualified === undefined && !functions.has(name)) {
    throw new Found(node, `unknown function \`${name}\``, nearest(name, spellable))
  }
  if (qualified !== undefined && !functions.has(qualified)) {
    throw new Found(node, `unknown function \`${qualified}\``, nearest(qualified, spellable))
  }
  const target =
    qualified === undefined ? value.target && check(value.target, scope, findings) : undefined
  const args = value.args.map((arg) => check(arg, scope, findings))
  if (calendarFunctions.has(name) && value.args[0]) findings.zones.push(zone(value.args[0]))
  if (name === 'matches') findings.patterns.push(pattern(node, value, target))
  if (name === '_[_]') return indexed(node, value, args[0] ?? anything, findings)
  if (name === '_==_' || name === '_!=_' || name === '@in') compared(value, args)
  return anything
}

/** `sets.contains` where `sets` is no variable. */
function qualifiedName({ function: name, target }: Expr_Call, scope: Scope): string | undefined {
  if (target?.exprKind.case !== 'identExpr') return undefined
  const prefix = target.exprKind.value.name
  return prefixes.has(prefix) && !scope.has(prefix) ? `${prefix}.${name}` : undefined
}

function zone(node: Expr): string {
  const name = textOf(node)
  if (name === undefined) throw new Found(node, 'write the time zone as a literal text')
  if (isZone(name)) return name
  const known = Intl.supportedValuesOf('timeZone')
  throw new Found(node, `\`${name.slice(0, 64)}\` is no time zone`, nearest(name, known))
}

function indexed(node: Expr, value: Expr_Call, from: FieldType, findings: Findings): FieldType {
  const key = value.args[1] && textOf(value.args[1])
  if (from.kind === 'object' && key === undefined) {
    throw new Found(node, 'name the field: only maps and lists take a computed key')
  }
  if (mayLack(from, key ?? '')) findings.optional.add(node)
  return from.kind === 'list' ? from.element : fieldOf(node, from, key ?? '')
}

/** A word outside its enumeration would be a rule that silently never matches. */
function compared(value: Expr_Call, args: readonly FieldType[]): void {
  for (const [one, other] of [
    [args[0], value.args[1]],
    [args[1], value.args[0]],
  ] as const) {
    if (one?.kind !== 'text' || one.oneOf === undefined || other === undefined) continue
    const words = other.exprKind.case === 'listExpr' ? other.exprKind.value.elements : [other]
    for (const literal of words) {
      const word = textOf(literal)
      if (word === undefined || one.oneOf.includes(word)) continue
      const message = `\`${word}\` is never the value; there are ${one.oneOf.join(', ')}`
      throw new Found(literal, message, nearest(word, one.oneOf))
    }
  }
}

function pattern(node: Expr, value: Expr_Call, target: FieldType | undefined): string {
  const text = target === undefined ? undefined : value.args[0] && textOf(value.args[0])
  if (text === undefined) {
    throw new Found(node, 'write `text.matches("…")` with a literal regular expression')
  }
  if (text.length > maxPattern) {
    throw new Found(node, `the regular expression is longer than ${maxPattern} characters`)
  }
  const repeats = [...text.matchAll(/\{(\d*),?(\d*)\}/g)].flatMap(([, a, b]) => [a, b].map(Number))
  if (repeats.reduce((product, n) => product * Math.max(1, n), 1) > maxRepeat) {
    throw new Found(node, `the regular expression repeats more than ${maxRepeat} times; use * or +`)
  }
  try {
    RE2JS.compile(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'not RE2 syntax'
    throw new Found(node, `the regular expression is not RE2 syntax: ${why}`)
  }
  return text
}

function comprehension(
  node: Expr,
  value: Expr_Comprehension,
  scope: Scope,
  findings: Findings,
): FieldType {
  const range = value.iterRange ? check(value.iterRange, scope, findings) : anything
  if (scope.has(value.iterVar) || typeNames.has(value.iterVar)) {
    throw new Found(node, `\`${value.iterVar}\` already has a meaning; use another name`)
  }
  if (range.kind === 'text' || range.kind === 'scalar') {
    throw new Found(node, 'only lists and maps can be walked through')
  }
  const item: FieldType = range.kind === 'list' ? range.element : anything
  if (value.accuInit) check(value.accuInit, scope, findings)
  const inner = new Map([...scope, [value.iterVar, item], [value.accuVar, anything]] as const)
  for (const part of [value.loopCondition, value.loopStep, value.result]) {
    if (part) check(part, inner, findings)
  }
  return anything
}

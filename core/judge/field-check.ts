import type { Expr, Expr_Call, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { RE2JS } from '@bufbuild/re2'
import { anything, type FieldType, factTypes, nearest } from './fields.ts'
import { children, type ExpressionProblem, type Syntax } from './syntax.ts'

/** What the checker found out about an expression that has no problem. */
export interface Checked {
  /** Nodes that fail where a key or an item is absent. */
  readonly optional: ReadonlySet<Expr>
  /** The regular expressions it uses. */
  readonly patterns: readonly string[]
}

type Scope = ReadonlyMap<string, FieldType>

const typeNames = new Set('bool bytes double int list map null_type string type uint'.split(' '))
const calendar =
  'getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth getSeconds'.split(
    ' ',
  )
const functions = new Set([
  ...'!_ -_ @in @not_strictly_false _!=_ _%_ _&&_ _*_ _+_ _-_ _/_ _<=_ _<_ _==_ _>=_ _>_ _?:_ _?_:_ _[_] _||_'.split(
    ' ',
  ),
  ...'bool bytes contains double duration dyn endsWith int matches size startsWith string timestamp type uint'.split(
    ' ',
  ),
  ...calendar,
])
/** Macros are gone after parsing, yet a misspelt one should be told its name. */
const macros = ['all', 'exists', 'exists_one', 'filter', 'has', 'map']

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
export function checkFields(syntax: Syntax): Checked | { readonly problem: ExpressionProblem } {
  const optional = new Set<Expr>()
  const patterns: string[] = []
  try {
    const type = check(syntax.root, factTypes(), { optional, patterns })
    if (type.kind !== 'anything') throw new Found(syntax.root, 'a rule must be true or false')
    return { optional, patterns }
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
}

function check(node: Expr, scope: Scope, findings: Findings): FieldType {
  const { exprKind } = node
  switch (exprKind.case) {
    case 'constExpr':
      return constantType(exprKind.value.constantKind.case)
    case 'identExpr':
      return variable(node, exprKind.value.name, scope)
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value
      const from = operand ? check(operand, scope, findings) : anything
      const type = fieldOf(node, from, field)
      if (!testOnly && mayLack(from)) findings.optional.add(node)
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

function constantType(kind: string | undefined): FieldType {
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

function mayLack(from: FieldType): boolean {
  return from.kind === 'map' || from.kind === 'anything' || from.kind === 'list'
}

function call(node: Expr, value: Expr_Call, scope: Scope, findings: Findings): FieldType {
  const name = value.function
  if (name === 'has')
    throw new Found(node, 'write `has(a.b)`; for a key in brackets write `"key" in …`')
  if (!functions.has(name)) {
    const known = [...functions, ...macros].filter((n) => /^[a-z]/i.test(n))
    throw new Found(node, `unknown function \`${name}\``, nearest(name, known))
  }
  const target = value.target && check(value.target, scope, findings)
  const args = value.args.map((arg) => check(arg, scope, findings))
  if (calendar.includes(name) && args.length > 0) {
    throw new Found(node, `\`${name}\` takes no time zone: rules reckon in UTC`)
  }
  if (name === 'matches') findings.patterns.push(pattern(node, value, target))
  if (name === '_[_]') return indexed(node, value, args[0] ?? anything, findings)
  if (name === '_==_' || name === '_!=_' || name === '@in') compared(node, value, args)
  return anything
}

function indexed(node: Expr, value: Expr_Call, from: FieldType, findings: Findings): FieldType {
  const key = value.args[1] && textOf(value.args[1])
  if (from.kind === 'object' && key === undefined) {
    throw new Found(node, 'name the field: only maps and lists take a computed key')
  }
  if (mayLack(from)) findings.optional.add(node)
  return from.kind === 'list' ? from.element : fieldOf(node, from, key ?? '')
}

/** A word outside its enumeration would be a rule that silently never matches. */
function compared(node: Expr, value: Expr_Call, args: readonly FieldType[]): void {
  for (const [one, other] of [
    [args[0], value.args[1]],
    [args[1], value.args[0]],
  ] as const) {
    if (one?.kind !== 'text' || one.oneOf === undefined || other === undefined) continue
    const words = other.exprKind.case === 'listExpr' ? other.exprKind.value.elements : [other]
    for (const word of words.map(textOf).filter((w) => w !== undefined)) {
      if (one.oneOf.includes(word)) continue
      const message = `\`${word}\` is never the value; there are ${one.oneOf.join(', ')}`
      throw new Found(node, message, nearest(word, one.oneOf))
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

/** The value of a string literal. */
export function textOf(node: Expr): string | undefined {
  if (node.exprKind.case !== 'constExpr') return undefined
  const { constantKind } = node.exprKind.value
  return constantKind.case === 'stringValue' ? constantKind.value : undefined
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

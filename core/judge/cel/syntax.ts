import { parse, unparse } from '@bufbuild/cel'
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'

/** What is wrong with an expression; line and column count from 1. */
export interface ExpressionProblem {
  readonly line: number
  readonly column: number
  readonly message: string
  readonly suggestion?: string
}

export interface Syntax {
  readonly root: Expr
  /** Where a node stands in the source. */
  position(node: Expr): { readonly line: number; readonly column: number }
  /** A node as source again, with its macros as they were written. */
  text(node: Expr): string
}

/** Characters of one expression. */
const maxLength = 4096
/** Open brackets at once: checked before parsing, which recurses. */
const maxBrackets = 32
/** Levels of the syntax tree. */
const maxDepth = 64
/** Comprehensions (`all`, `exists`, `map`, …) inside one another. */
const maxNesting = 2

/**
 * `namespace` is reserved in CEL, for a use that never came. We parse this name of the same length
 * in its place, so positions stay right, and take it back afterwards.
 */
const standIn = '_amespace'

const token =
  /(?:[rR][bB]?|[bB][rR])(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n]*"|'[^'\n]*')|[bB]?(?:"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\/[^\n]*|[A-Za-z_][A-Za-z_0-9]*|\s+|[\s\S]/g

/** Parses an expression within its static limits. */
export function readSyntax(source: string): Syntax | { readonly problem: ExpressionProblem } {
  if (source.length > maxLength) {
    return problem(source, 0, `longer than ${maxLength} characters; split the rule`)
  }
  if (!source.isWellFormed()) return problem(source, 0, 'has half a character in it; type it again')
  if (source.includes(standIn)) {
    return problem(source, source.indexOf(standIn), `\`${standIn}\` is not a name; rename it`)
  }
  const scanned = scan(source)
  if ('problem' in scanned) return scanned
  try {
    const parsed = parse(scanned.text)
    const positions = new Map(Object.entries(parsed.sourceInfo?.positions ?? {}))
    const root = restored(parsed.expr)
    const place = (node: Expr) => locate(source, positions.get(String(node.id)) ?? 0)
    const excess = tooMuch(root)
    if (excess !== undefined) return { problem: { ...place(excess.at), message: excess.message } }
    const text = (node: Expr) => unparse({ ...parsed, expr: node }).replaceAll(standIn, 'namespace')
    return { root, position: place, text }
  } catch (error) {
    return syntaxProblem(source, error)
  }
}

/** Everything directly under a node; in a comprehension in the order in which CEL evaluates it. */
export function children(node: Expr): readonly Expr[] {
  const { exprKind } = node
  const present = (nodes: readonly (Expr | undefined)[]) => nodes.filter((n) => n !== undefined)
  switch (exprKind.case) {
    case 'selectExpr':
      return present([exprKind.value.operand])
    case 'callExpr':
      return present([exprKind.value.target, ...exprKind.value.args])
    case 'listExpr':
      return exprKind.value.elements
    case 'structExpr':
      return exprKind.value.entries.flatMap(({ keyKind, value }) =>
        present([keyKind.case === 'mapKey' ? keyKind.value : undefined, value]),
      )
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value
      return present([iterRange, accuInit, loopCondition, loopStep, result])
    }
    default:
      return []
  }
}

/** The value of a string literal. */
export function textOf(node: Expr): string | undefined {
  if (node.exprKind.case !== 'constExpr') return undefined
  const { constantKind } = node.exprKind.value
  return constantKind.case === 'stringValue' ? constantKind.value : undefined
}

/** The same node over other children. */
function withChildren(node: Expr, change: (child: Expr) => Expr): Expr {
  const { exprKind } = node
  const maybe = (child: Expr | undefined) => child && change(child)
  switch (exprKind.case) {
    case 'selectExpr': {
      const value = { ...exprKind.value, operand: maybe(exprKind.value.operand) }
      return { ...node, exprKind: { case: 'selectExpr', value } }
    }
    case 'callExpr': {
      const { target, args } = exprKind.value
      const value = { ...exprKind.value, target: maybe(target), args: args.map(change) }
      return { ...node, exprKind: { case: 'callExpr', value } }
    }
    case 'listExpr': {
      const value = { ...exprKind.value, elements: exprKind.value.elements.map(change) }
      return { ...node, exprKind: { case: 'listExpr', value } }
    }
    case 'structExpr': {
      const entries = exprKind.value.entries.map((entry) => ({
        ...entry,
        keyKind:
          entry.keyKind.case === 'mapKey'
            ? { case: entry.keyKind.case, value: change(entry.keyKind.value) }
            : entry.keyKind,
        value: maybe(entry.value),
      }))
      return { ...node, exprKind: { case: 'structExpr', value: { ...exprKind.value, entries } } }
    }
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value
      const value = {
        ...exprKind.value,
        iterRange: maybe(iterRange),
        accuInit: maybe(accuInit),
        loopCondition: maybe(loopCondition),
        loopStep: maybe(loopStep),
        result: maybe(result),
      }
      return { ...node, exprKind: { case: 'comprehensionExpr', value } }
    }
    default:
      return node
  }
}

/** Counts brackets and puts the stand-in where `namespace` is a variable. */
function scan(source: string): { readonly text: string } | { readonly problem: ExpressionProblem } {
  let open = 0
  let before = ''
  let text = ''
  for (const { 0: part, index } of source.matchAll(token)) {
    if (part === '(' || part === '[' || part === '{') open++
    if (part === ')' || part === ']' || part === '}') open--
    if (open > maxBrackets) {
      return problem(source, index, `more than ${maxBrackets} brackets inside one another`)
    }
    text += part === 'namespace' && before !== '.' ? standIn : part
    if (part.trim() !== '' && !part.startsWith('//')) before = part
  }
  return { text }
}

/** @throws TypeError where the stand-in got into anything but a variable */
function restored(node: Expr): Expr {
  const { exprKind } = node
  if (exprKind.case === 'identExpr' && exprKind.value.name === standIn) {
    const value = { ...exprKind.value, name: 'namespace' }
    return { ...node, exprKind: { case: 'identExpr', value } }
  }
  const text =
    exprKind.case === 'constExpr' && exprKind.value.constantKind.case === 'stringValue'
      ? exprKind.value.constantKind.value
      : ''
  if (text.includes(standIn)) throw new TypeError('write `namespace` in plain quotes')
  return withChildren(node, restored)
}

function tooMuch(
  node: Expr,
  depth = 1,
  nesting = 0,
): { readonly at: Expr; readonly message: string } | undefined {
  if (depth > maxDepth) return { at: node, message: `nests deeper than ${maxDepth} levels` }
  const loops = nesting + (node.exprKind.case === 'comprehensionExpr' ? 1 : 0)
  if (loops > maxNesting) {
    return { at: node, message: `more than ${maxNesting} comprehensions inside one another` }
  }
  // what it ranges over is evaluated once, outside the loop
  const range =
    node.exprKind.case === 'comprehensionExpr' ? node.exprKind.value.iterRange : undefined
  for (const child of children(node)) {
    const excess = tooMuch(child, depth + 1, child === range ? nesting : loops)
    if (excess !== undefined) return excess
  }
  return undefined
}

function syntaxProblem(source: string, error: unknown): { readonly problem: ExpressionProblem } {
  if (error instanceof RangeError) return problem(source, 0, `nests deeper than ${maxDepth} levels`)
  const message = error instanceof Error ? error.message : String(error)
  const place = /^(?:syntax error: )?<input>:(\d+):(\d+): ([\s\S]*)$/.exec(message)
  if (place === null) return problem(source, 0, message)
  const [, line = '1', column = '1', what = message] = place
  return { problem: { line: Number(line), column: Number(column), message: what } }
}

function problem(
  source: string,
  offset: number,
  message: string,
): { readonly problem: ExpressionProblem } {
  return { problem: { ...locate(source, offset), message } }
}

function locate(
  source: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const lines = source.slice(0, offset).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { children, type ExpressionProblem, type Syntax, textOf } from './syntax.ts'

/** Paths known to exist where an expression is evaluated. */
type Guards = ReadonlySet<string>

/**
 * Finds a field that may be absent under `||` or `&&` without a guard before it. Such an `allow` means
 * one thing to everybody who knows CEL, whose `||` and `&&` swallow the error, and another here, where
 * the error denies: it has to say which it is.
 */
export function findAbsorbed(
  syntax: Syntax,
  optional: ReadonlySet<Expr>,
): ExpressionProblem | undefined {
  const bare = search(syntax.root, new Set(), false, optional)
  if (bare === undefined) return undefined
  const path = pathOf(bare)
  const message =
    path === undefined
      ? 'this may be absent: here the rule then fails, where `||` and `&&` of CEL would swallow the error; use a rule of its own'
      : `\`${path.join('.')}\` may be absent: here the rule then fails, where \`||\` and \`&&\` of CEL would swallow the error; guard it`
  const suggestion = path && guardFor(bare, path)
  return { ...syntax.position(bare), message, ...(suggestion !== undefined && { suggestion }) }
}

/** The first node that is neither guarded nor outside every `||` and `&&`. */
function search(
  node: Expr,
  guards: Guards,
  inside: boolean,
  optional: ReadonlySet<Expr>,
): Expr | undefined {
  const { exprKind } = node
  const go = (child: Expr | undefined, known: Guards, under: boolean) =>
    child && search(child, known, under, optional)
  if (exprKind.case === 'callExpr') {
    const { function: name, args } = exprKind.value
    const [one, two, three] = args
    if (one && (name === '_&&_' || name === '_||_')) {
      const proved = name === '_&&_' ? whenTrue(one) : whenFalse(one)
      return go(one, guards, true) ?? go(two, new Set([...guards, ...proved]), true)
    }
    if (one && name === '_?_:_') {
      return (
        go(one, guards, inside) ??
        go(two, new Set([...guards, ...whenTrue(one)]), inside) ??
        go(three, new Set([...guards, ...whenFalse(one)]), inside)
      )
    }
  }
  for (const child of children(node)) {
    const found = search(child, guards, inside, optional)
    if (found !== undefined) return found
  }
  const path = pathOf(node)
  const bare =
    inside && optional.has(node) && (path === undefined || !guards.has(JSON.stringify(path)))
  return bare ? node : undefined
}

/** What exists where the expression is true. */
function whenTrue(node: Expr): readonly string[] {
  const { exprKind } = node
  if (exprKind.case === 'selectExpr' && exprKind.value.testOnly) {
    const path = exprKind.value.operand && pathOf(exprKind.value.operand)
    return path === undefined ? [] : [JSON.stringify([...path, exprKind.value.field])]
  }
  if (exprKind.case !== 'callExpr') return []
  const { function: name, args } = exprKind.value
  if (name === '_&&_') return args.flatMap(whenTrue)
  if (name === '!_') return args.flatMap(whenFalse)
  if (name !== '@in') return []
  const [key, map] = [args[0] && textOf(args[0]), args[1] && pathOf(args[1])]
  return key === undefined || map === undefined ? [] : [JSON.stringify([...map, key])]
}

/** What exists where the expression is false. */
function whenFalse(node: Expr): readonly string[] {
  if (node.exprKind.case !== 'callExpr') return []
  const { function: name, args } = node.exprKind.value
  if (name === '_||_') return args.flatMap(whenFalse)
  return name === '!_' ? args.flatMap(whenTrue) : []
}

/** `intent.params.replicas` in its parts, also where it is written with brackets and a literal. */
function pathOf(node: Expr): readonly string[] | undefined {
  const { exprKind } = node
  if (exprKind.case === 'identExpr') return [exprKind.value.name]
  if (exprKind.case === 'selectExpr' && !exprKind.value.testOnly) {
    const from = exprKind.value.operand && pathOf(exprKind.value.operand)
    return from && [...from, exprKind.value.field]
  }
  if (exprKind.case !== 'callExpr' || exprKind.value.function !== '_[_]') return undefined
  const [one, two] = exprKind.value.args
  const from = one && pathOf(one)
  const key = two && textOf(two)
  return from === undefined || key === undefined ? undefined : [...from, key]
}

function guardFor(node: Expr, path: readonly string[]): string {
  if (node.exprKind.case === 'selectExpr') return `has(${path.join('.')}) && …`
  return `"${path.at(-1)}" in ${path.slice(0, -1).join('.')} && …`
}

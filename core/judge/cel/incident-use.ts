import type { Expr, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { children, type ExpressionProblem, type Syntax, textOf } from './syntax.ts'

/**
 * Finds a use of `cluster.incidents` that could make a verdict milder. Whoever can post an alert
 * would then decide (T77): so never in an `allow`, and elsewhere only where one incident more can
 * turn no into yes and never yes into no: under `exists`, or a size above a number, without `!`.
 */
export function findIncidentUse(
  syntax: Syntax,
  { allows }: { readonly allows: boolean },
): ExpressionProblem | undefined {
  const node = search(syntax.root, !allows)
  if (node === undefined) return undefined
  const message = allows
    ? '`cluster.incidents` comes from alerts, and an alert is no reason to allow anything; use it in `deny` or `requireApproval`'
    : 'an alert may only make a verdict stricter; write `cluster.incidents.exists(i, …)` or `size(cluster.incidents) > …`, with no `!` before it'
  return { ...syntax.position(node), message }
}

/** Whether anything about the expression depends on incidents. */
export function usesIncidents(syntax: Syntax): boolean {
  return search(syntax.root, false) !== undefined
}

/** The first use that is not where more incidents can only turn the whole from false to true. */
function search(node: Expr, rising: boolean): Expr | undefined {
  const { exprKind } = node
  const all = (nodes: readonly (Expr | undefined)[], up: boolean) => {
    for (const child of nodes) {
      const found = child && search(child, up)
      if (found !== undefined) return found
    }
    return undefined
  }
  // handed on whole, it would be out of sight
  if (exprKind.case === 'identExpr') return exprKind.value.name === 'cluster' ? node : undefined
  const field = fieldOfCluster(node)
  if (field !== undefined) return field === 'uid' ? undefined : node
  if (exprKind.case === 'callExpr') {
    const { function: name, args } = exprKind.value
    if (name === '_&&_' || name === '_||_') return all(args, rising)
    if (name === '_?_:_') return all(args.slice(0, 1), false) ?? all(args.slice(1), rising)
    const [size, least] = args
    if (rising && (name === '_>_' || name === '_>=_') && isSize(size) && isNumber(least)) {
      return undefined
    }
  }
  if (exprKind.case === 'comprehensionExpr') {
    const { value } = exprKind
    const { iterRange, loopStep } = value
    const kind = quantifier(value)
    const range = rising && kind === 'exists' && fieldOfCluster(iterRange) === 'incidents'
    // the loop's own variables hide no `cluster`: the field checker refuses that
    return all([range ? undefined : iterRange], false) ?? all([loopStep], rising && kind !== 'else')
  }
  return all(children(node), false)
}

/** `uid` of `cluster.uid` and of `cluster["uid"]`. */
function fieldOfCluster(node: Expr | undefined): string | undefined {
  const isCluster = (n: Expr | undefined) =>
    n?.exprKind.case === 'identExpr' && n.exprKind.value.name === 'cluster'
  if (node?.exprKind.case === 'selectExpr') {
    const { operand, field } = node.exprKind.value
    return isCluster(operand) ? field : undefined
  }
  if (node?.exprKind.case !== 'callExpr' || node.exprKind.value.function !== '_[_]')
    return undefined
  const [of, key] = node.exprKind.value.args
  return isCluster(of) ? key && textOf(key) : undefined
}

function isSize(node: Expr | undefined): boolean {
  if (node?.exprKind.case !== 'callExpr' || node.exprKind.value.function !== 'size') return false
  const { target, args } = node.exprKind.value
  return fieldOfCluster(target ?? args[0]) === 'incidents'
}

function isNumber(node: Expr | undefined): boolean {
  if (node?.exprKind.case !== 'constExpr') return false
  return node.exprKind.value.constantKind.case === 'int64Value'
}

/** Macros are told by what they begin with: `exists` with false, `all` with true, others otherwise. */
function quantifier({ accuInit }: Expr_Comprehension): 'exists' | 'all' | 'else' {
  if (accuInit?.exprKind.case !== 'constExpr') return 'else'
  const { constantKind } = accuInit.exprKind.value
  if (constantKind.case !== 'boolValue') return 'else'
  return constantKind.value ? 'all' : 'exists'
}

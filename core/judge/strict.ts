import { type Constant, type Expr, ExprSchema } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { create } from '@bufbuild/protobuf'
import { withChildren } from './syntax.ts'

/** Called once per round of every comprehension. */
export const roundFunction = '@round'

/**
 * The same expression without CEL's absorption of errors, and with its rounds counted.
 *
 * CEL's `||` and `&&` are commutative: `true` on one side hides an error on the other, and an
 * agent chooses its params. Here they go from left to right like everywhere else, so an error in
 * anything evaluated is an error of the rule. Guards (`has(x) && x > 1`) work unchanged.
 */
export function strict(node: Expr): Expr {
  const inner = withChildren(node, strict)
  const { exprKind } = inner
  if (exprKind.case === 'callExpr') {
    const [one, two] = exprKind.value.args
    if (!one || !two) return inner
    if (exprKind.value.function === '_&&_') {
      return choose(
        inner,
        one,
        choose(inner, two, bool(inner, true), bool(inner, false)),
        bool(inner, false),
      )
    }
    if (exprKind.value.function === '_||_') {
      return choose(
        inner,
        one,
        bool(inner, true),
        choose(inner, two, bool(inner, true), bool(inner, false)),
      )
    }
  }
  if (exprKind.case === 'comprehensionExpr' && exprKind.value.loopCondition) {
    const loopCondition = calling(inner, roundFunction, [exprKind.value.loopCondition])
    return {
      ...inner,
      exprKind: { case: 'comprehensionExpr', value: { ...exprKind.value, loopCondition } },
    }
  }
  return inner
}

function choose(at: Expr, condition: Expr, yes: Expr, no: Expr): Expr {
  return calling(at, '_?_:_', [condition, yes, no])
}

function calling(at: Expr, name: string, args: Expr[]): Expr {
  return create(ExprSchema, {
    id: at.id,
    exprKind: { case: 'callExpr', value: { function: name, args } },
  })
}

function bool(at: Expr, value: boolean): Expr {
  const constantKind: Constant['constantKind'] = { case: 'boolValue', value }
  return create(ExprSchema, { id: at.id, exprKind: { case: 'constExpr', value: { constantKind } } })
}

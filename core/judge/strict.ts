import {
  type Constant,
  type Expr,
  type Expr_Comprehension,
  ExprSchema,
} from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { create } from '@bufbuild/protobuf'
import { textOf, withChildren } from './syntax.ts'

/** Functions that only rewritten expressions call; a rule cannot spell their names. */
export const inner = {
  /** Called once per round of every comprehension. */
  round: '@round',
  /** Whether a map has a key, also where its value is null. */
  has: '@has',
  /** A map of two lists, refused where two keys are equal. */
  map: '@map',
  /** A new list, and the same list with one item more. */
  list: '@list',
  append: '@append',
} as const

/**
 * The same expression without CEL's absorption of errors, and without what the library gets wrong.
 *
 * CEL's `||` and `&&` are commutative: `true` on one side hides an error on the other, and an
 * agent chooses its params. Here they go from left to right like everywhere else, so an error in
 * anything evaluated is an error of the rule. Guards (`has(x) && x > 1`) work unchanged.
 */
export function strict(node: Expr): Expr {
  const rewritten = withChildren(node, strict)
  const { exprKind } = rewritten
  switch (exprKind.case) {
    case 'callExpr':
      return strictCall(rewritten, exprKind.value.function, exprKind.value.args)
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value
      if (!testOnly || operand === undefined) return rewritten
      return calling(rewritten, inner.has, [
        operand,
        constant(rewritten, { case: 'stringValue', value: field }),
      ])
    }
    case 'structExpr': {
      const entries = exprKind.value.entries.map(({ keyKind, value }) => ({
        key: keyKind.case === 'mapKey' ? keyKind.value : undefined,
        value,
      }))
      const keys = entries.map((e) => e.key).filter((k) => k !== undefined)
      const values = entries.map((e) => e.value).filter((v) => v !== undefined)
      if (keys.every((key) => textOf(key) !== undefined)) return rewritten
      return calling(rewritten, inner.map, [listing(rewritten, keys), listing(rewritten, values)])
    }
    case 'comprehensionExpr':
      return comprehension(rewritten, exprKind.value)
    default:
      return rewritten
  }
}

function strictCall(node: Expr, name: string, [one, two]: readonly Expr[]): Expr {
  if (one === undefined || two === undefined) return node
  const yes = constant(node, { case: 'boolValue', value: true })
  const no = constant(node, { case: 'boolValue', value: false })
  if (name === '_&&_') return choose(node, one, choose(node, two, yes, no), no)
  if (name === '_||_') return choose(node, one, yes, choose(node, two, yes, no))
  return node
}

/** Counts rounds; `map` and `filter` collect in one list instead of one more per item. */
function comprehension(node: Expr, value: Expr_Comprehension): Expr {
  const { accuInit, accuVar, loopCondition, loopStep } = value
  if (!accuInit || !loopCondition || !loopStep) return node
  const counted = { ...value, loopCondition: calling(node, inner.round, [loopCondition]) }
  const collects =
    accuInit.exprKind.case === 'listExpr' && accuInit.exprKind.value.elements.length === 0
  const changed = collects
    ? {
        ...counted,
        accuInit: calling(node, inner.list, []),
        loopStep: appending(loopStep, accuVar),
      }
    : counted
  return { ...node, exprKind: { case: 'comprehensionExpr', value: changed } }
}

/** `accu + [x]` becomes an append; the condition of a `filter` may stand around it. */
function appending(step: Expr, accuVar: string): Expr {
  if (step.exprKind.case !== 'callExpr') return step
  const { function: name, args } = step.exprKind.value
  const [one, two, three] = args
  if (name === '_?_:_' && one && two && three) {
    return choose(step, one, appending(two, accuVar), three)
  }
  const isAccu = one?.exprKind.case === 'identExpr' && one.exprKind.value.name === accuVar
  if (name !== '_+_' || !isAccu || two?.exprKind.case !== 'listExpr') return step
  const [item] = two.exprKind.value.elements
  return item === undefined ? step : calling(step, inner.append, [one, item])
}

function choose(at: Expr, condition: Expr, yes: Expr, no: Expr): Expr {
  return calling(at, '_?_:_', [condition, yes, no])
}

function listing(at: Expr, elements: Expr[]): Expr {
  return create(ExprSchema, { id: at.id, exprKind: { case: 'listExpr', value: { elements } } })
}

function calling(at: Expr, name: string, args: Expr[]): Expr {
  return create(ExprSchema, {
    id: at.id,
    exprKind: { case: 'callExpr', value: { function: name, args } },
  })
}

function constant(at: Expr, constantKind: Constant['constantKind']): Expr {
  return create(ExprSchema, { id: at.id, exprKind: { case: 'constExpr', value: { constantKind } } })
}

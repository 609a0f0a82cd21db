import type { Expr, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { compileNode, type Evaluate, part, type Scope } from './compile.ts'
import { attempt, truth } from './logic.ts'
import { CelError, type CelValue, fromJson, isMap, keysOf, listOf, typeOf } from './values.ts'

/** The macros `all`, `exists`, `exists_one`, `map` and `filter`, known by the shape that the parser gives them. */
export function comprehension(value: Expr_Comprehension, scope: Scope): Evaluate {
  if (value.iterVar2 !== '') throw new TypeError('macros of two variables are not offered')
  const range = compileNode(part(value.iterRange), scope)
  const slot = scope.given
  const locals = new Map([...scope.locals, [value.iterVar, slot] as const])
  const inner = { ...scope, locals, given: slot + 1 }
  const { name, args } = stepOf(value.loopStep)
  const compile = (i: number) => compileNode(part(args[i]), inner)
  if (name === '_&&_') return quantified(range, compile(1), slot, false)
  if (name === '_||_') return quantified(range, compile(1), slot, true)
  if (value.accuInit?.exprKind.case === 'constExpr') return exactlyOne(range, compile(0), slot)
  const conditional = name === '_?_:_'
  const added = conditional ? stepOf(args[1]) : { name, args }
  const list = added.args[1]
  const item = list?.exprKind.case === 'listExpr' ? list.exprKind.value.elements[0] : undefined
  if (added.name !== '_+_' || item === undefined) throw new TypeError('an unknown macro')
  return collected(range, conditional ? compile(0) : undefined, compileNode(item, inner), slot)
}

function stepOf(node: Expr | undefined): { readonly name: string; readonly args: readonly Expr[] } {
  const { exprKind } = part(node)
  if (exprKind.case !== 'callExpr') throw new TypeError('an unknown macro')
  return { name: exprKind.value.function, args: exprKind.value.args }
}

function itemsOf(value: CelValue): readonly CelValue[] {
  const items = listOf(value)
  if (items !== undefined) return items
  if (isMap(value)) return keysOf(value)
  throw new CelError(`got '${goTypes[typeOf(value)] ?? typeOf(value)}', expected iterable type`)
}

/** As the API server's own language calls what is no list and no map. */
const goTypes: Readonly<Record<string, string>> = {
  null_type: 'types.Null',
  bool: 'types.Bool',
  string: 'types.String',
  int: 'types.Int',
  uint: 'types.Uint',
  double: 'types.Double',
  bytes: 'types.Bytes',
}

/** One item that decides hides the errors of others. */
function quantified(range: Evaluate, holds: Evaluate, slot: number, decides: boolean): Evaluate {
  return (frame) => {
    let error: CelError | undefined
    for (const item of itemsOf(range(frame))) {
      frame.locals[slot] = fromJson(item)
      const result = attempt(holds, frame)
      if (result === decides) return decides
      if (result instanceof CelError) error ??= result
    }
    if (error !== undefined) throw error
    return !decides
  }
}

function exactlyOne(range: Evaluate, holds: Evaluate, slot: number): Evaluate {
  return (frame) => {
    let count = 0
    for (const item of itemsOf(range(frame))) {
      frame.locals[slot] = fromJson(item)
      if (truth(holds(frame))) count++
    }
    return count === 1
  }
}

function collected(
  range: Evaluate,
  keep: Evaluate | undefined,
  made: Evaluate,
  slot: number,
): Evaluate {
  return (frame) => {
    const result: CelValue[] = []
    for (const item of itemsOf(range(frame))) {
      frame.locals[slot] = fromJson(item)
      if (keep === undefined || truth(keep(frame))) result.push(made(frame))
    }
    return result
  }
}

import type { Expr, Expr_Call } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { compileNode, type Evaluate, part, type Scope } from './compile.ts'
import { noOverload, Optional } from './values.ts'

/** `cel.bind`, `optMap` and `optFlatMap`: macros that the library's parser leaves as calls. */
export function macroCall(
  { function: name, target, args }: Expr_Call,
  scope: Scope,
): Evaluate | undefined {
  if (name === 'bind' && args.length === 3 && nameOf(target) === 'cel') {
    const value = compileNode(part(args[1]), scope)
    const { slot, body } = bound(args[0], args[2], scope)
    return (frame) => {
      frame.locals[slot] = value(frame)
      return body(frame)
    }
  }
  if ((name !== 'optMap' && name !== 'optFlatMap') || args.length !== 2) return undefined
  const on = compileNode(part(target), scope)
  const { slot, body } = bound(args[0], args[1], scope)
  return (frame) => {
    const optional = on(frame)
    if (!(optional instanceof Optional)) throw noOverload()
    if (optional.value === undefined) return optional
    frame.locals[slot] = optional.value
    const made = body(frame)
    return name === 'optMap' ? new Optional(made) : made
  }
}

function nameOf(node: Expr | undefined): string | undefined {
  return node?.exprKind.case === 'identExpr' ? node.exprKind.value.name : undefined
}

function bound(variable: Expr | undefined, body: Expr | undefined, scope: Scope) {
  const name = nameOf(variable)
  if (name === undefined) throw new TypeError('a macro takes the name of a variable')
  const slot = scope.given
  const locals = new Map([...scope.locals, [name, slot] as const])
  return { slot, body: compileNode(part(body), { ...scope, locals, given: slot + 1 }) }
}

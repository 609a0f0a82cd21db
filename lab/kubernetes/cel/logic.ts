import type { Expr_Call } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { compileNode, type Evaluate, type Frame, part, type Scope } from './compile.ts'
import { CelError, type CelValue, noOverload } from './values.ts'

/** `&&`, `||`, `!` and `?:`, of which not everything is evaluated. */
export function logical({ function: name, args }: Expr_Call, scope: Scope): Evaluate | undefined {
  if (!['_&&_', '_||_', '!_', '_?_:_'].includes(name)) return undefined
  const [one, two, three] = args.map((arg) => compileNode(part(arg), scope))
  if (one === undefined) throw new TypeError('a part of the expression is missing')
  if (name === '!_') return (frame) => !truth(one(frame))
  if (two === undefined) throw new TypeError('a part of the expression is missing')
  if (name === '_&&_') return (frame) => commutative(one, two, frame, false)
  if (name === '_||_') return (frame) => commutative(one, two, frame, true)
  if (three === undefined) throw new TypeError('a part of the expression is missing')
  return (frame) => (truth(one(frame)) ? two(frame) : three(frame))
}

export function truth(value: CelValue): boolean {
  if (typeof value === 'boolean') return value
  throw noOverload()
}

/** In CEL the side that decides hides an error of the other. */
function commutative(one: Evaluate, two: Evaluate, frame: Frame, decides: boolean): boolean {
  const first = attempt(one, frame)
  if (first === decides) return decides
  const second = attempt(two, frame)
  if (second === decides) return decides
  if (first instanceof CelError) throw first
  if (second instanceof CelError) throw second
  return !decides
}

/** An error is a value here: another value may make it not matter. */
export function attempt(evaluate: Evaluate, frame: Frame): boolean | CelError {
  try {
    return truth(evaluate(frame))
  } catch (error) {
    if (error instanceof CelError) return error
    throw error
  }
}

import {
  CelScalar,
  type CelType,
  type CelValue,
  celType,
  isCelError,
  isCelList,
  isCelMap,
  isCelUint,
} from '@bufbuild/cel'
import type { Expr, Expr_Call } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { compileNode, type Evaluate, present, type Setting, truth } from './evaluator.ts'
import { includes, same } from './functions/equality.ts'
import { compareText } from './functions/order.ts'
import type { Steps } from './steps.ts'

/** A call, ready to run. Operators first, then functions of ours and the library's. */
export function callOf(node: Expr, call: Expr_Call, setting: Setting): Evaluate {
  const { function: name, target, args } = call
  const at = (i: number) => compileNode(present(args[i]), setting)
  switch (name) {
    case '_&&_': {
      const [one, other] = [at(0), at(1)]
      return (frame) => truth(one(frame)) && truth(other(frame))
    }
    case '_||_': {
      const [one, other] = [at(0), at(1)]
      return (frame) => truth(one(frame)) || truth(other(frame))
    }
    case '_?_:_': {
      const [condition, yes, no] = [at(0), at(1), at(2)]
      return (frame) => (truth(condition(frame)) ? yes(frame) : no(frame))
    }
    case '!_': {
      const one = at(0)
      return (frame) => !truth(one(frame))
    }
    // part of `all` and `exists`: in CEL an error goes on, here it has ended the evaluation
    case '@not_strictly_false':
      return at(0)
    case '_[_]': {
      const [of, key] = [at(0), at(1)]
      return (frame) => indexed(of(frame), key(frame))
    }
    default: {
      const qualified = qualifiedCall(node, call, setting)
      if (qualified !== undefined) return qualified
      const of = target && compileNode(target, setting)
      return dispatched(
        node,
        name,
        of,
        args.map((arg) => compileNode(arg, setting)),
        setting,
      )
    }
  }
}

/** `sets.contains(…)`, where `sets` is a part of the name and no variable. */
function qualifiedCall(
  node: Expr,
  { function: name, target, args }: Expr_Call,
  setting: Setting,
): Evaluate | undefined {
  if (target?.exprKind.case !== 'identExpr') return undefined
  const prefix = target.exprKind.value.name
  const qualified = `${prefix}.${name}`
  if (setting.locals.has(prefix) || setting.env.funcs.find(qualified) === undefined) {
    return undefined
  }
  const compiled = args.map((arg) => compileNode(arg, setting))
  return dispatched(node, qualified, undefined, compiled, setting)
}

function dispatched(
  node: Expr,
  name: string,
  target: Evaluate | undefined,
  args: readonly Evaluate[],
  setting: Setting,
): Evaluate {
  const { env, steps } = setting
  const functions = env.funcs.find(name)
  if (functions === undefined) throw new TypeError(`there is no function \`${name}\``)
  if ([...functions].some(({ result }) => !isPlain(result))) setting.needs.library = true
  const id = Number(node.id)
  const slow = (of: CelValue | undefined, values: CelValue[]): CelValue => {
    const result = functions.call(id, of, values)
    if (result === undefined) throw new TypeError(mismatch(name, of, values))
    if (isCelError(result)) throw result
    return result
  }
  const [one, two] = args
  const operator = operators.get(name)
  if (operator !== undefined && one !== undefined && two !== undefined) {
    return (frame) => {
      const [a, b] = [one(frame), two(frame)]
      return operator(a, b, steps) ?? slow(undefined, [a, b])
    }
  }
  const method = methods.get(name)
  if (method !== undefined && target !== undefined && one !== undefined && args.length === 1) {
    return (frame) => {
      const [a, b] = [target(frame), one(frame)]
      return method(a, b, steps) ?? slow(a, [b])
    }
  }
  return (frame) =>
    slow(
      target?.(frame),
      args.map((arg) => arg(frame)),
    )
}

/** Whether values of the type are the engine's own, and no messages of the library. */
function isPlain(type: CelType): boolean {
  return type.kind === 'scalar' && type !== CelScalar.DYN && type !== CelScalar.TYPE
}

/** The answer of the function of the same name, or undefined for what that should answer. */
type Quick = (a: CelValue, b: CelValue, steps: Steps) => boolean | undefined

/** What rules ask most, without the search for an overload. */
const operators = new Map<string, Quick>([
  ['_==_', same],
  ['_!=_', (a, b, steps) => !same(a, b, steps)],
  ['_<_', ordered((order) => order < 0)],
  ['_<=_', ordered((order) => order <= 0)],
  ['_>_', ordered((order) => order > 0)],
  ['_>=_', ordered((order) => order >= 0)],
  ['@in', (a, b, steps) => (isCelList(b) ? includes(b, a, steps) : undefined)],
])
const methods = new Map<string, Quick>([
  ['startsWith', onTexts((text, part) => text.startsWith(part))],
  ['endsWith', onTexts((text, part) => text.endsWith(part))],
  ['contains', onTexts((text, part) => text.includes(part))],
])

function ordered(holds: (order: number) => boolean): Quick {
  return (a, b, steps) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return holds(a < b ? -1 : a > b ? 1 : 0)
    if (typeof a !== 'string' || typeof b !== 'string') return undefined
    steps.read(a.length < b.length ? a : b)
    return holds(compareText(a, b))
  }
}

function onTexts(holds: (text: string, part: string) => boolean): Quick {
  return (a, b, steps) => {
    if (typeof a !== 'string' || typeof b !== 'string') return undefined
    steps.read(a)
    return holds(a, b)
  }
}

function indexed(of: CelValue, key: CelValue): CelValue {
  const value = isCelList(of)
    ? of.get(position(key))
    : isCelMap(of)
      ? of.get(mapKey(key))
      : undefined
  if (value === undefined) {
    const shown = typeof key === 'string' || typeof key === 'bigint' ? `\`${key}\`` : 'asked for'
    throw new TypeError(`there is no item ${shown}`)
  }
  return value
}

function position(key: CelValue): number {
  const index = isCelUint(key) ? key.value : key
  if (typeof index === 'bigint') return Number(index)
  if (typeof index === 'number' && Number.isInteger(index)) return index
  throw new TypeError('an item of a list is asked for by its number')
}

function mapKey(key: CelValue) {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key
  if (typeof key === 'number' || isCelUint(key)) return key
  throw new TypeError('a key is a text, a whole number or a truth value')
}

function mismatch(name: string, of: CelValue | undefined, values: readonly CelValue[]): string {
  const given = values.map((value) => celType(value).name).join(', ')
  return `\`${name}\` does not take ${of === undefined ? '' : `${celType(of).name} and `}(${given})`
}

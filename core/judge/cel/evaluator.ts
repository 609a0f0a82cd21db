import {
  type CelEnv,
  type CelMap,
  CelScalar,
  type CelValue,
  celList,
  celMap,
  celUint,
  isCelList,
  isCelMap,
  isCelUint,
  listType,
  mapType,
} from '@bufbuild/cel'
import type {
  Constant,
  Expr,
  Expr_Comprehension,
  Expr_CreateStruct,
} from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { callOf } from './calls.ts'
import { boundedItems, type Steps } from './steps.ts'

/** Values by the names of variables, in one evaluation. */
export type Bindings = Readonly<Record<string, CelValue>>

/** One evaluation: its variables, and those of its comprehensions by number. */
export interface Frame {
  readonly facts: Bindings
  readonly locals: CelValue[]
}

/**
 * One node of an expression, ready to run.
 * @throws whatever is wrong: an error in anything evaluated is the error of the whole
 */
export type Evaluate = (frame: Frame) => CelValue

/** What an expression is compiled in. */
export interface Setting {
  readonly env: CelEnv
  readonly steps: Steps
  /** Found out on the way: whether it makes times, spans and other messages of the library. */
  readonly needs: { library: boolean }
  /** Comprehension variables by name, and how many numbers are given. */
  readonly locals: ReadonlyMap<string, number>
  readonly given: number
}

const types = new Map<string, CelValue>([
  ...Object.values(CelScalar).map((type) => [type.name, type] as const),
  ['list', listType(CelScalar.DYN)],
  ['map', mapType(CelScalar.DYN, CelScalar.DYN)],
])

/**
 * Compiles a checked expression. Parsing, values and functions are the library's; evaluation is ours
 * for two reasons. CEL's `||` and `&&` are commutative: `true` on one side hides an error on the
 * other, and an agent chooses its params. Here they go from left to right like everywhere else, so
 * guards (`has(x) && x > 1`) work unchanged and nothing hides an error. And every round is counted.
 */
export function compileNode(node: Expr, setting: Setting): Evaluate {
  const { exprKind } = node
  switch (exprKind.case) {
    case 'constExpr': {
      const value = constant(exprKind.value.constantKind)
      return () => value
    }
    case 'identExpr':
      return variable(exprKind.value.name, setting)
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value
      const of = compileNode(present(operand), setting)
      if (testOnly) return (frame) => mapOf(of(frame), field).get(field) !== undefined
      return (frame) => {
        const value = mapOf(of(frame), field).get(field)
        if (value === undefined) throw new TypeError(`there is no field \`${field}\``)
        return value
      }
    }
    case 'listExpr': {
      const items = exprKind.value.elements.map((item) => compileNode(item, setting))
      return (frame) => celList(items.map((item) => item(frame)))
    }
    case 'structExpr':
      return struct(exprKind.value, setting)
    case 'callExpr':
      return callOf(node, exprKind.value, setting)
    case 'comprehensionExpr':
      return comprehension(exprKind.value, setting)
    default:
      throw new TypeError('not an expression')
  }
}

export function present(node: Expr | undefined): Expr {
  if (node === undefined) throw new TypeError('a part of the expression is missing')
  return node
}

function constant({ case: kind, value }: Constant['constantKind']): CelValue {
  switch (kind) {
    case 'stringValue':
    case 'bytesValue':
    case 'doubleValue':
    case 'boolValue':
    case 'int64Value':
      return value
    case 'uint64Value':
      return celUint(value)
    case 'nullValue':
      return null
    default:
      throw new TypeError('a constant of an unknown kind')
  }
}

function variable(name: string, { locals }: Setting): Evaluate {
  const number = locals.get(name)
  if (number !== undefined) return ({ locals: values }) => found(values[number], name)
  const type = types.get(name)
  return ({ facts }) => found(facts[name] ?? (Object.hasOwn(facts, name) ? null : type), name)
}

function found(value: CelValue | undefined, name: string): CelValue {
  if (value === undefined) throw new TypeError(`there is no variable \`${name}\``)
  return value
}

function mapOf(value: CelValue, field: string): CelMap {
  if (typeof value === 'object' && value !== null && isCelMap(value)) return value
  throw new TypeError(`\`${field}\` is asked of a value that has no fields`)
}

function struct({ entries }: Expr_CreateStruct, setting: Setting): Evaluate {
  const compiled = entries.map(({ keyKind, value }) => {
    if (keyKind.case !== 'mapKey') throw new TypeError('rules can make no messages')
    return { key: compileNode(keyKind.value, setting), value: compileNode(present(value), setting) }
  })
  return (frame) => {
    const map = new Map<string | bigint | boolean, CelValue>()
    for (const entry of compiled) {
      const key = keyOf(entry.key(frame))
      if (map.has(key)) throw new TypeError(`two values for the key \`${key}\``)
      map.set(key, entry.value(frame))
    }
    return celMap(map)
  }
}

/** An int and a uint of the same value are the same key. */
function keyOf(value: CelValue): string | bigint | boolean {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') {
    return value
  }
  if (isCelUint(value)) return value.value
  throw new TypeError('a key is a text, a whole number or a truth value')
}

/** A macro over the items of a list or the keys of a map; each round is a step. */
function comprehension(value: Expr_Comprehension, setting: Setting): Evaluate {
  if (value.iterVar2 !== '') throw new TypeError('macros of two variables are not offered')
  const range = compileNode(present(value.iterRange), setting)
  const item = setting.given
  const accu = item + 1
  const locals = new Map([...setting.locals, [value.iterVar, item], [value.accuVar, accu]] as const)
  const inner = { ...setting, locals, given: item + 2 }
  const collected = collection(value, inner)
  if (collected !== undefined) return collecting(range, item, collected, setting.steps)
  const [first, goesOn, step, result] = [
    compileNode(present(value.accuInit), setting),
    compileNode(present(value.loopCondition), inner),
    compileNode(present(value.loopStep), inner),
    compileNode(present(value.result), inner),
  ]
  return (frame) => {
    const items = itemsOf(range(frame))
    frame.locals[accu] = first(frame)
    for (const each of items) {
      setting.steps.spend(1)
      frame.locals[item] = each
      if (goesOn(frame) !== true) break
      frame.locals[accu] = step(frame)
    }
    return result(frame)
  }
}

function itemsOf(value: CelValue): Iterable<CelValue> {
  if (isCelList(value)) return value
  if (isCelMap(value)) return value.keys()
  throw new TypeError('only lists and maps can be walked through')
}

interface Collection {
  readonly keep: Evaluate | undefined
  readonly item: Evaluate
}

/** `map` and `filter` put `[x]` behind what they have, under a condition or under none. */
function collection(value: Expr_Comprehension, setting: Setting): Collection | undefined {
  const { accuInit, loopStep } = value
  if (accuInit?.exprKind.case !== 'listExpr' || loopStep?.exprKind.case !== 'callExpr') {
    return undefined
  }
  const { function: name, args } = loopStep.exprKind.value
  const conditional = name === '_?_:_'
  const added = conditional ? args[1] : loopStep
  if (added?.exprKind.case !== 'callExpr' || added.exprKind.value.function !== '_+_') {
    return undefined
  }
  const list = added.exprKind.value.args[1]
  const item = list?.exprKind.case === 'listExpr' ? list.exprKind.value.elements[0] : undefined
  if (item === undefined) return undefined
  const keep = conditional ? compileNode(present(args[0]), setting) : undefined
  return { keep, item: compileNode(item, setting) }
}

/** In one list, where a new one per item would take the square of the time. */
function collecting(range: Evaluate, item: number, each: Collection, steps: Steps): Evaluate {
  return (frame) => {
    const made: CelValue[] = []
    for (const value of itemsOf(range(frame))) {
      steps.spend(1)
      frame.locals[item] = value
      if (each.keep !== undefined && !truth(each.keep(frame))) continue
      made.push(each.item(frame))
      boundedItems(made.length)
    }
    return celList(made)
  }
}

/** @throws TypeError for what is neither true nor false */
export function truth(value: CelValue): boolean {
  if (typeof value === 'boolean') return value
  throw new TypeError('a condition is neither true nor false')
}

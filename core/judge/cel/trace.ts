import { isCelError } from '@bufbuild/cel'
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { isMap, type Json } from '@jackstay/contract/json'
import type { BoundFacts } from '../facts.ts'
import { valueCompiler } from './expression.ts'
import { factTypes } from './fields.ts'
import { children, readSyntax, type Syntax, textOf } from './syntax.ts'

/** A fact that an evaluation looked at. */
export interface ReadFact {
  /** From the variable on. It ends at the first step that is absent. */
  readonly path: readonly string[]
  /** Absent where there is none. */
  readonly value?: Json
}

/** A part of a condition that is no `&&`, `||`, `!` or `?:` itself, and what it came to. */
export interface Leaf {
  readonly text: string
  readonly is: boolean | 'failed'
  /** Why it failed. */
  readonly message?: string
  readonly reads: readonly ReadFact[]
}

/** What would have to hold for a condition to turn. */
export type Need =
  | { readonly kind: 'leaf'; readonly leaf: Leaf; readonly holds: string }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Need[] }
  /** A constant: it never turns. */
  | { readonly kind: 'never'; readonly text: string }

export interface Trace {
  /** In the order in which they were evaluated; what was skipped is absent. */
  readonly leaves: readonly Leaf[]
  /** What would make the whole condition true, or false. */
  need(want: boolean): Need
}

/** Facts in both forms. */
export interface TracedFacts {
  readonly bound: BoundFacts
  readonly plain: { readonly [variable: string]: Json }
}

export type Tracer = (when: string, facts: TracedFacts) => Trace

/**
 * Walks conditions as the engine evaluates them, from left to right, and keeps what it saw. The
 * outcome of a rule is the engine's own; this tells where it came from.
 */
export function tracer(): Tracer {
  const compile = valueCompiler()
  const variables = factTypes()
  return (when, facts) => {
    const syntax = readSyntax(when)
    if ('problem' in syntax) return { leaves: [], need: () => ({ kind: 'never', text: when }) }
    const evaluate = (node: Expr): Outcome => {
      const compiled = compile(syntax.text(node), variables)
      if ('problem' in compiled) return { is: 'failed', message: compiled.problem.message }
      const result = compiled.run(facts.bound)
      if (isCelError(result)) return { is: 'failed', message: result.message }
      return typeof result === 'boolean'
        ? { is: result }
        : { is: 'failed', message: 'neither true nor false' }
    }
    const walk = new Walk(syntax, facts.plain, evaluate)
    return {
      leaves: walk.leaves(syntax.root),
      need: (want) => walk.need(syntax.root, want),
    }
  }
}

interface Outcome {
  readonly is: boolean | 'failed'
  readonly message?: string
}

class Walk {
  readonly #syntax: Syntax
  readonly #facts: TracedFacts['plain']
  readonly #evaluate: (node: Expr) => Outcome

  constructor(syntax: Syntax, facts: TracedFacts['plain'], evaluate: (node: Expr) => Outcome) {
    this.#syntax = syntax
    this.#facts = facts
    this.#evaluate = evaluate
  }

  leaves(node: Expr): readonly Leaf[] {
    const { name, args } = callOf(node)
    const [one, two, three] = args
    if (name === '!_' && one) return this.leaves(one)
    if (one && two && isShort(name)) {
      const first = this.leaves(one)
      const goOn = name === '_&&_'
      if (name !== '_?_:_') return this.#is(one) === goOn ? [...first, ...this.leaves(two)] : first
      const branch = this.#is(one) === 'failed' ? undefined : this.#is(one) ? two : three
      return branch ? [...first, ...this.leaves(branch)] : first
    }
    return [this.#leaf(node)]
  }

  need(node: Expr, want: boolean): Need {
    const { name, args } = callOf(node)
    const [one, two, three] = args
    if (name === '!_' && one) return this.need(one, !want)
    if (one && two && name === '_?_:_') {
      const branch = this.#is(one) === true ? two : three
      return branch ? this.need(branch, want) : { kind: 'never', text: this.#syntax.text(node) }
    }
    if (one && two && (name === '_&&_' || name === '_||_')) {
      // to make `&&` true takes all of its parts, to make it false takes one; `||` the other way
      const every = (name === '_&&_') === want
      const parts = [one, two].filter((part) => !every || this.#is(part) !== want)
      const needs = parts.map((part) => this.need(part, want))
      return joined(every ? 'all' : 'any', needs)
    }
    if (node.exprKind.case === 'constExpr') return { kind: 'never', text: this.#syntax.text(node) }
    return { kind: 'leaf', leaf: this.#leaf(node), holds: this.#holding(node, want) }
  }

  #is(node: Expr): boolean | 'failed' {
    return this.#evaluate(node).is
  }

  #leaf(node: Expr): Leaf {
    const { is, message } = this.#evaluate(node)
    const reads = new Map<string, ReadFact>()
    this.#read(node, new Set(), reads)
    return {
      text: this.#syntax.text(node),
      is,
      ...(message !== undefined && { message }),
      reads: [...reads.values()],
    }
  }

  /** Every fact that a node may look at; `own` are the variables of the macros around it. */
  #read(node: Expr, own: ReadonlySet<string>, reads: Map<string, ReadFact>): void {
    const { exprKind } = node
    const path = pathOf(node, own)
    if (path !== undefined) {
      const read = factAt(this.#facts, path)
      reads.set(JSON.stringify(read.path), read)
      return
    }
    if (exprKind.case === 'comprehensionExpr') {
      const { iterVar, iterVar2, accuVar, iterRange } = exprKind.value
      const inside = new Set([...own, iterVar, iterVar2, accuVar])
      for (const child of children(node))
        this.#read(child, child === iterRange ? own : inside, reads)
      return
    }
    for (const child of children(node)) this.#read(child, own, reads)
  }

  #holding(node: Expr, want: boolean): string {
    const text = this.#syntax.text(node)
    if (want) return text
    const { name, args } = callOf(node)
    const opposite = opposites.get(name)
    const [left, right] = args
    if (opposite === undefined || !left || !right) return `!(${text})`
    return `${this.#syntax.text(left)} ${opposite} ${this.#syntax.text(right)}`
  }
}

const opposites: ReadonlyMap<string, string> = new Map([
  ['_==_', '!='],
  ['_!=_', '=='],
  ['_<_', '>='],
  ['_<=_', '>'],
  ['_>_', '<='],
  ['_>=_', '<'],
])

function isShort(name: string): boolean {
  return name === '_&&_' || name === '_||_' || name === '_?_:_'
}

function callOf(node: Expr): { readonly name: string; readonly args: readonly Expr[] } {
  const { exprKind } = node
  if (exprKind.case !== 'callExpr') return { name: '', args: [] }
  return { name: exprKind.value.function, args: exprKind.value.args }
}

function joined(kind: 'all' | 'any', needs: readonly Need[]): Need {
  const flat = needs.flatMap((need) => (need.kind === kind ? need.of : [need]))
  const never = flat.find((need) => need.kind === 'never')
  if (never !== undefined && kind === 'all') return never
  const of = flat.filter((need) => need.kind !== 'never')
  const [only] = of
  if (only === undefined) return never ?? { kind: 'never', text: '' }
  return of.length === 1 ? only : { kind, of }
}

/** `namespace.labels["a"]` in its steps, if it begins with a fact and every key is a literal. */
function pathOf(node: Expr, own: ReadonlySet<string>): readonly string[] | undefined {
  const { exprKind } = node
  if (exprKind.case === 'identExpr') {
    const { name } = exprKind.value
    return own.has(name) || !factTypes().has(name) ? undefined : [name]
  }
  if (exprKind.case === 'selectExpr') {
    const from = exprKind.value.operand && pathOf(exprKind.value.operand, own)
    return from && [...from, exprKind.value.field]
  }
  const { name, args } = callOf(node)
  // `"a" in namespace.labels` looks at one label
  const [map, step] = name === '@in' ? [args[1], args[0]] : [args[0], args[1]]
  if (name !== '_[_]' && name !== '@in') return undefined
  const from = map && pathOf(map, own)
  const key = step && textOf(step)
  return from === undefined || key === undefined ? undefined : [...from, key]
}

/** Lists are looked at as a whole. */
function factAt(facts: TracedFacts['plain'], path: readonly string[]): ReadFact {
  let value: Json = facts
  for (const [i, step] of path.entries()) {
    if (!isMap(value)) return { path: path.slice(0, i), value }
    const next: Json | undefined = Object.hasOwn(value, step) ? value[step] : undefined
    if (next === undefined) return { path: path.slice(0, i + 1) }
    value = next
  }
  return { path, value }
}

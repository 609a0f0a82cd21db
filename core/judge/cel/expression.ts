import {
  type CelResult,
  CelScalar,
  type CelValue,
  celEnv,
  celError,
  celFunc,
  isCelError,
  plan,
} from '@bufbuild/cel'
import { type Expr, ExprSchema } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { create } from '@bufbuild/protobuf'
import type { BoundFacts } from '../facts.ts'
import { findAbsorbed } from './absorption.ts'
import { type Bindings, compileNode } from './evaluator.ts'
import { checkFields } from './field-check.ts'
import { type FieldType, factTypes } from './fields.ts'
import { Patterns } from './functions/patterns.ts'
import { implementations, valueTypes } from './functions/table.ts'
import { Zones } from './functions/zones.ts'
import { findIncidentUse, usesIncidents } from './incident-use.ts'
import { Steps } from './steps.ts'
import { type ExpressionProblem, readSyntax, type Syntax } from './syntax.ts'

export type Evaluation =
  | { readonly outcome: 'matched' | 'not_matched' }
  | { readonly outcome: 'error'; readonly message: string }

/** One rule's condition. Never throws. */
export type Expression = (facts: BoundFacts) => Evaluation

export interface CompileOptions {
  /** Refuse what `||` and `&&` of CEL would swallow, and incidents: set for rules that allow. */
  readonly guarded: boolean
}

type Problem = { readonly problem: ExpressionProblem }

export type Compile = (
  source: string,
  options: CompileOptions,
) => { readonly evaluate: Expression; readonly byAlert: boolean } | Problem

/**
 * A compiler for CEL conditions: parse within limits, check names, refuse absorption, plan. Its
 * expressions share one environment and one set of regular expressions and time zones.
 */
export function expressionCompiler(): Compile {
  const variables = factTypes()
  const engine = celEngine()
  const compile: Compile = (source, { guarded }) => {
    const syntax = readSyntax(source)
    if ('problem' in syntax) return syntax
    const checked = checkFields(syntax, variables)
    if ('problem' in checked) return checked
    if (checked.type.kind !== 'anything') {
      return found(syntax, 'a rule must be true or false')
    }
    const incident = findIncidentUse(syntax, { allows: guarded })
    if (incident !== undefined) return { problem: incident }
    const absorbed = guarded ? findAbsorbed(syntax, checked.optional) : undefined
    if (absorbed !== undefined) return { problem: absorbed }
    const run = engine(syntax, checked)
    return { evaluate: (facts) => evaluation(run(facts)), byAlert: usesIncidents(syntax) }
  }
  return (source, options) => {
    try {
      return compile(source, options)
    } catch (error) {
      return { problem: { line: 1, column: 1, message: uncompiled(error) } }
    }
  }
}

/** Like a rule, but over other variables and with any value: what conformance is tested with. */
export function valueCompiler(): (
  source: string,
  variables: ReadonlyMap<string, FieldType>,
) => { readonly run: (facts: Bindings) => CelResult } | Problem {
  const engine = celEngine()
  return (source, variables) => {
    const syntax = readSyntax(source)
    if ('problem' in syntax) return syntax
    const checked = checkFields(syntax, variables)
    return 'problem' in checked ? checked : { run: engine(syntax, checked) }
  }
}

interface Literals {
  readonly patterns: readonly string[]
  readonly zones: readonly string[]
}

/** Compiles checked expressions in one environment of our functions. */
function celEngine(): (syntax: Syntax, literals: Literals) => (facts: Bindings) => CelResult {
  const tools = { steps: new Steps(), patterns: new Patterns(), zones: new Zones() }
  const { steps } = tools
  let current = (): CelValue => null
  const inside = celFunc('@inside', [], CelScalar.DYN, () => current())
  const env = celEnv({ registry: valueTypes(), funcs: [...implementations(tools), inside] })
  const surrounded = plan(env, insideCall())
  return (syntax, { patterns, zones }) => {
    for (const text of patterns) tools.patterns.add(text)
    for (const name of zones) tools.zones.add(name)
    const needs = { library: false }
    const evaluate = compileNode(syntax.root, { env, steps, needs, locals: new Map(), given: 0 })
    return (facts) => {
      steps.renew()
      try {
        if (!needs.library) return evaluate({ facts, locals: [] })
        // functions that make messages look for an evaluation of the library's own around them
        current = () => evaluate({ facts, locals: [] })
        return surrounded()
      } catch (error) {
        return celError(error)
      }
    }
  }
}

function insideCall(): Expr {
  const value = { function: '@inside', args: [] }
  return create(ExprSchema, { exprKind: { case: 'callExpr', value } })
}

function found(syntax: Syntax, message: string): Problem {
  return { problem: { ...syntax.position(syntax.root), message } }
}

function uncompiled(error: unknown): string {
  return `cannot be compiled: ${error instanceof Error ? error.message : 'unknown'}`
}

function evaluation(value: unknown): Evaluation {
  if (isCelError(value)) return { outcome: 'error', message: value.message }
  if (typeof value === 'boolean') return { outcome: value ? 'matched' : 'not_matched' }
  return { outcome: 'error', message: 'the condition is neither true nor false' }
}

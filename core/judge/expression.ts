import { type CelResult, celEnv, isCelError, plan } from '@bufbuild/cel'
import { findAbsorbed } from './absorption.ts'
import type { BoundFacts } from './facts.ts'
import { checkFields } from './field-check.ts'
import { type FieldType, factTypes } from './fields.ts'
import { internalFunctions } from './functions/internal.ts'
import { Patterns } from './functions/patterns.ts'
import { implementations, valueTypes } from './functions/table.ts'
import { Zones } from './functions/zones.ts'
import { findIncidentUse } from './incident-use.ts'
import { Steps } from './steps.ts'
import { strict } from './strict.ts'
import { type ExpressionProblem, readSyntax, type Syntax } from './syntax.ts'

export type Evaluation =
  | { readonly outcome: 'matched' | 'not_matched' }
  | { readonly outcome: 'error'; readonly message: string }

/** One rule's condition. Never throws. */
export type Expression = (facts: BoundFacts) => Evaluation

export interface CompileOptions {
  /** Refuse what `||` and `&&` could swallow, and incidents: set for rules that allow. */
  readonly guarded: boolean
}

type Problem = { readonly problem: ExpressionProblem }

export type Compile = (
  source: string,
  options: CompileOptions,
) => { readonly evaluate: Expression } | Problem

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
    return { evaluate: (facts) => evaluation(run(facts)) }
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
) => { readonly run: (facts: BoundFacts) => CelResult } | Problem {
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

/** Plans checked expressions in one environment of our functions. */
function celEngine(): (syntax: Syntax, literals: Literals) => (facts: BoundFacts) => CelResult {
  const tools = { steps: new Steps(), patterns: new Patterns(), zones: new Zones() }
  const funcs = [...implementations(tools), ...internalFunctions(tools.steps)]
  const env = celEnv({ registry: valueTypes(), funcs })
  return (syntax, { patterns, zones }) => {
    for (const text of patterns) tools.patterns.add(text)
    for (const name of zones) tools.zones.add(name)
    const run = plan(env, strict(syntax.root))
    return (facts) => {
      tools.steps.renew()
      return run(facts)
    }
  }
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

import { CelScalar, celEnv, celFunc, isCelError, plan } from '@bufbuild/cel'
import { RE2JS } from '@bufbuild/re2'
import { findAbsorbed } from './absorption.ts'
import { exactFunctions } from './exact-functions.ts'
import type { BoundFacts } from './facts.ts'
import { checkFields } from './field-check.ts'
import { findIncidentUse } from './incident-use.ts'
import { roundFunction, strict } from './strict.ts'
import { type ExpressionProblem, readSyntax } from './syntax.ts'

export type Evaluation =
  | { readonly outcome: 'matched' | 'not_matched' }
  | { readonly outcome: 'error'; readonly message: string }

/** One rule's condition. Never throws. */
export type Expression = (facts: BoundFacts) => Evaluation

export interface CompileOptions {
  /** Refuse what `||` and `&&` could swallow, and incidents: set for rules that allow. */
  readonly guarded: boolean
}

export type Compile = (
  source: string,
  options: CompileOptions,
) => { readonly evaluate: Expression } | { readonly problem: ExpressionProblem }

/** Rounds of all comprehensions of one evaluation together. */
const maxRounds = 10_000

/**
 * A compiler for CEL conditions: parse within limits, check names, refuse absorption, plan. Its
 * expressions share one environment and one set of compiled regular expressions.
 */
export function expressionCompiler(): Compile {
  const patterns = new Map<string, RE2JS>()
  let rounds = 0
  const countRound = celFunc(roundFunction, [CelScalar.DYN], CelScalar.DYN, (goOn) => {
    rounds += 1
    if (rounds > maxRounds) throw new RangeError(`more than ${maxRounds} rounds`)
    return goOn
  })
  const re2 = { compile: (text: string) => patterns.get(text) ?? RE2JS.compile(text) }
  const env = celEnv({ re2, funcs: [...exactFunctions(), countRound] })
  const compile: Compile = (source, { guarded }) => {
    const syntax = readSyntax(source)
    if ('problem' in syntax) return syntax
    const checked = checkFields(syntax)
    if ('problem' in checked) return checked
    const incident = findIncidentUse(syntax, { allows: guarded })
    if (incident !== undefined) return { problem: incident }
    const absorbed = guarded ? findAbsorbed(syntax, checked.optional) : undefined
    if (absorbed !== undefined) return { problem: absorbed }
    for (const text of checked.patterns) patterns.set(text, RE2JS.compile(text))
    const run = plan(env, strict(syntax.root))
    return {
      evaluate(facts) {
        rounds = 0
        return evaluation(run(facts))
      },
    }
  }
  return (source, options) => {
    try {
      return compile(source, options)
    } catch (error) {
      const message = `cannot be compiled: ${error instanceof Error ? error.message : 'unknown'}`
      return { problem: { line: 1, column: 1, message } }
    }
  }
}

function evaluation(value: unknown): Evaluation {
  if (isCelError(value)) return { outcome: 'error', message: value.message }
  if (typeof value === 'boolean') return { outcome: value ? 'matched' : 'not_matched' }
  return { outcome: 'error', message: 'the condition is neither true nor false' }
}

import { celEnv, isCelError, parse, plan } from '@bufbuild/cel'
import { RE2JS } from '@bufbuild/re2'
import type { BoundFacts } from './facts.ts'

export type Evaluation =
  | { readonly outcome: 'matched' | 'not_matched' }
  | { readonly outcome: 'error'; readonly message: string }

export interface ExpressionProblem {
  readonly line: number
  readonly column: number
  readonly message: string
  readonly suggestion?: string
}

export type Expression = (facts: BoundFacts) => Evaluation

export function compileExpression(
  source: string,
): { readonly evaluate: Expression } | { readonly problem: ExpressionProblem } {
  try {
    const env = celEnv({ re2: { compile: (pattern) => RE2JS.compile(pattern) } })
    const run = plan(env, parse(source.replace(/(?<![.\w"'])namespace(?=\.)/g, '_amespace')))
    return {
      evaluate: (facts) => {
        const value = run({ ...facts, _amespace: facts.namespace ?? null })
        if (isCelError(value)) return { outcome: 'error', message: value.message }
        if (typeof value !== 'boolean') return { outcome: 'error', message: 'not a bool' }
        return { outcome: value ? 'matched' : 'not_matched' }
      },
    }
  } catch (error) {
    return { problem: { line: 1, column: 1, message: String(error) } }
  }
}

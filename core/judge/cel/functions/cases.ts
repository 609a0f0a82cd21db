import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isCelError } from '@bufbuild/cel'
import { valueCompiler } from '../expression.ts'

const compile = valueCompiler()

/** What an expression gives; `error` for one that fails, the problem of one that is not loaded. */
export function result(expression: string): unknown {
  const compiled = compile(expression, new Map())
  if ('problem' in compiled) return compiled.problem.message
  const value = compiled.run({})
  return isCelError(value) ? 'error' : value
}

/** One test per table: each line an expression and what it gives. */
export function gives(title: string, cases: readonly (readonly [string, unknown])[]): void {
  it(title, () => {
    for (const [expression, expected] of cases) {
      assert.deepEqual(result(expression), expected, expression)
    }
  })
}

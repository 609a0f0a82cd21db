import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertNever, errorBody, errorCodes, JackstayError } from './errors.ts'

const codes = Object.entries(errorCodes)

describe('error codes', () => {
  it('have a status of HTTP and a meaning in our style', () => {
    for (const [code, { status, meaning }] of codes) {
      assert.match(code, /^[a-z]+(_[a-z]+)*$/)
      assert.ok(status >= 400 && status <= 599, code)
      assert.match(meaning, /^[^.]+$/, code)
      assert.equal(meaning.trim(), meaning, code)
    }
  })

  it('let nobody repeat what a repetition cannot mend', () => {
    const may = codes.filter(([, { retryable }]) => retryable).map(([, { status }]) => status)
    // asked again later, these may succeed; a 504 was sent and may have had its effect
    assert.deepEqual([...new Set(may)].toSorted(), [408, 409, 429, 502, 503])
    assert.equal(errorCodes.outcome_unknown.retryable, false)
  })

  it('say 401 for whoever is not who they say, whatever the reason (T03-T07)', () => {
    for (const code of [
      'unauthenticated',
      'invalid_signature',
      'wrong_audience',
      'not_fresh',
      'unknown_key',
      'key_revoked',
      'pod_not_live',
      'replayed',
    ] as const) {
      assert.equal(errorCodes[code].status, 401, code)
    }
  })
})

describe('an error', () => {
  it('carries status and repeatability of its code, and its cause for us alone', () => {
    const cause = new Error('the inner secret')
    const error = new JackstayError('overloaded', 'too many intents at once; try later', { cause })
    assert.deepEqual([error.status, error.retryable, error.cause], [503, true, cause])
    const body = { error: { code: 'overloaded', message: error.message, retryable: true } }
    assert.deepEqual(errorBody(error), body)
    assert.ok(!JSON.stringify(errorBody(error)).includes('secret'))
  })

  it('is what a stray member of a union becomes', () => {
    // a value that only a damaged store or a newer program could bring
    const stray = 'stray' as unknown as never
    assert.throws(() => assertNever(stray), {
      code: 'internal',
      message: 'unexpected value `stray`',
    })
  })
})

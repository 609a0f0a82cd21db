import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { assertPrivate } from './private-url.ts'

const clear = (url: string | undefined, file: string | undefined = 'token') => {
  try {
    assertPrivate('--pager-token-file', url, file)
    return 'private'
  } catch (error) {
    assert.ok(error instanceof JackstayError)
    assert.equal(error.code, 'invalid_config')
    return error.message
  }
}

test('a token goes nowhere in clear text but to this machine (T38)', () => {
  for (const url of [
    'https://alerts.example.org/x',
    'http://localhost:9093',
    'http://127.0.0.1:9093',
    'http://127.8.9.1',
    'http://[::1]:4318/v1/traces',
    'HTTP://LOCALHOST',
  ]) {
    assert.equal(clear(url), 'private', url)
  }
  for (const url of [
    'http://alerts.example.org',
    'http://10.0.0.7:9093',
    // names that only begin like this machine's, and addresses spelt otherwise
    'http://127.0.0.1.example.org',
    'http://localhost.example.org',
    'http://example.org/127.0.0.1',
    'http://127.0.0.1@example.org',
    'http://[::2]',
  ]) {
    assert.match(clear(url), /`--pager-token-file` would send its token to `.+` in clear text/, url)
  }
})

test('a URL without a token, and a token without a URL, are nobody’s secret', () => {
  assert.equal(clear('http://alerts.example.org', ''), clear('http://alerts.example.org'))
  assertPrivate('--pager-token-file', 'http://alerts.example.org', undefined)
  assertPrivate('--pager-token-file', undefined, 'token')
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { freshClients, ref } from './client-builder.ts'
import { headersOf } from './fake-api.ts'

const w = freshClients()

describe('impersonation', () => {
  it('sends user, uid, each group and each extra, exactly', async () => {
    const executor = w.client.as({
      username: 'system:serviceaccount:jackstay-executors:web',
      uid: 'u1',
      groups: ['g1', 'g 2'],
      extra: { 'jackstay.dev/intent': ['i1'], 'a(b)%': ['x', 'y'] },
    })
    await executor.mergePatch(ref, {})
    const seen = w.last()
    assert.deepEqual(headersOf(seen, 'impersonate-user'), [
      'system:serviceaccount:jackstay-executors:web',
    ])
    assert.deepEqual(headersOf(seen, 'impersonate-uid'), ['u1'])
    assert.deepEqual(headersOf(seen, 'impersonate-group'), ['g1', 'g 2'])
    assert.deepEqual(headersOf(seen, 'impersonate-extra-jackstay.dev%2fintent'), ['i1'])
    assert.deepEqual(headersOf(seen, 'impersonate-extra-a%28b%29%25'), ['x', 'y'])
    await w.client.get(ref).catch(() => {})
    assert.deepEqual(
      headersOf(w.last(), 'impersonate-user'),
      [],
      'the original client stays itself',
    )
  })

  it('a second `as` replaces the first', async () => {
    await w.client
      .as({ username: 'one', groups: ['g'], extra: { k: ['v'] } })
      .as({ username: 'two' })
      .mergePatch(ref, {})
    assert.deepEqual(
      w.last()?.rawHeaders.filter((name) => /^impersonate-/i.test(name)),
      ['Impersonate-User'],
    )
    assert.deepEqual(headersOf(w.last(), 'impersonate-user'), ['two'])
  })

  it('refuses what a header would change or smuggle', () => {
    for (const text of ['', ' a', 'a ', 'a\r\nImpersonate-Group: system:masters', 'ä', 'a\0']) {
      assert.throws(
        () => w.client.as({ username: text }),
        { code: 'invalid_request' },
        JSON.stringify(text),
      )
      assert.throws(() => w.client.as({ username: 'u', groups: [text] }), {
        code: 'invalid_request',
      })
      assert.throws(() => w.client.as({ username: 'u', extra: { k: [text] } }), {
        code: 'invalid_request',
      })
    }
    for (const key of ['', 'Upper'])
      assert.throws(() => w.client.as({ username: 'u', extra: { [key]: ['v'] } }), {
        code: 'invalid_request',
      })
  })

  it('any extra key arrives as the API server would read it', async () => {
    const key = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => text === text.toLowerCase() && text.isWellFormed())
    await fc.assert(
      fc.asyncProperty(key, async (text) => {
        await w.client.as({ username: 'u', extra: { [text]: ['v'] } }).mergePatch(ref, {})
        const prefix = 'impersonate-extra-'
        const names = (w.last()?.rawHeaders ?? [])
          .map((name) => name.toLowerCase())
          .filter((name) => name.startsWith(prefix))
        assert.deepEqual(
          names.map((name) => decodeURIComponent(name.slice(prefix.length))),
          [text],
        )
      }),
      { numRuns: 60 },
    )
  })
})

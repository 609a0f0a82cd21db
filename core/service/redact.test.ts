import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redacted, redactJson, redactor } from './redact.ts'

const secret = 'hunter2+token/äöü=='
const redact = redactor(() => [secret])

test('T71 a held value disappears in every form it is known to take', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const percent = (text: string) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
  const forms = {
    plain: secret,
    base64: base64(secret),
    base64url: Buffer.from(secret).toString('base64url'),
    hex: Buffer.from(secret).toString('hex'),
    url: encodeURIComponent(secret),
    'url, lower case': encodeURIComponent(secret).toLowerCase(),
    'url, every byte': percent(secret),
    'base64 in a url': encodeURIComponent(base64(secret)),
    'split by spaces': [...secret].join(' '),
    'split by lines': `${secret.slice(0, 5)}\r\n\t${secret.slice(5)}`,
    'split by zero-width characters': [...secret].join('\u200b'),
    'base64 in lines': base64(secret).replace(/(.{6})/g, '$1\n'),
  }
  for (const [name, form] of Object.entries(forms)) {
    assert.equal(redact(`before ${form} after`), `before ${redacted} after`, name)
  }
})

test('T71 base64 of a longer text that contains the value is caught at every alignment', () => {
  for (const prefix of ['', 'x', 'xy', 'user:', 'Bearer ']) {
    for (const suffix of ['', '!', '!!', '\n']) {
      const text = Buffer.from(prefix + secret + suffix).toString('base64')
      assert.match(redact(text), /\[redacted\]/, JSON.stringify(prefix + suffix))
      const left = Buffer.from(redact(text).replace(redacted, ''), 'base64').toString()
      assert.ok(!left.includes('hunter2'))
    }
  }
})

test('T71 wherever a value stands and however it is split, none of it is left', () => {
  const plain = 'abcdEFGH01234567'
  const redactPlain = redactor(() => [plain])
  const noise = fc.string({ unit: fc.constantFrom('x', ' ', '%', '%4', '\n', '-', 'é', '😀') })
  const gaps = fc.array(fc.constantFrom('', ' ', '\n', '\u200b', '\t'), {
    minLength: plain.length,
    maxLength: plain.length,
  })
  const coded = fc.array(fc.boolean(), { minLength: plain.length, maxLength: plain.length })
  fc.assert(
    fc.property(noise, gaps, coded, noise, (before, gap, code, after) => {
      const written = [...plain].map((char, i) => {
        const hex = `%${char.charCodeAt(0).toString(16)}`
        return (code[i] ? hex : char) + (i + 1 < plain.length ? gap[i] : '')
      })
      // a `%` in front swallows what follows; that is another text
      fc.pre(!/%4?$/.test(before))
      assert.equal(redactPlain(before + written.join('') + after), before + redacted + after)
    }),
  )
})

test('text without a held value is returned unchanged', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      fc.pre(!text.includes('hunter2'))
      assert.equal(redact(text), text)
    }),
  )
})

test('overlapping and repeated values leave nothing between them', () => {
  const both = redactor(() => ['aaaaaaaabbbb', 'bbbbcccccccc'])
  assert.equal(both('x aaaaaaaabbbbcccccccc y'), `x ${redacted} y`)
  assert.equal(redactor(() => ['aaaaaaaa'])('a'.repeat(20)), redacted)
})

test('values that change are followed; short ones are left alone', () => {
  let values = ['old-value-1']
  const follow = redactor(() => values)
  assert.equal(follow('old-value-1 new-value-2'), `${redacted} new-value-2`)
  values = ['new-value-2', 'a', '']
  assert.equal(follow('old-value-1 new-value-2 a'), `old-value-1 ${redacted} a`)
})

test('of a key in PEM form every line is a secret too', () => {
  const line = 'MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g'
  const pem = `-----BEGIN PRIVATE KEY-----\n${line}\n-----END PRIVATE KEY-----\n`
  const redactKey = redactor(() => [pem])
  assert.equal(redactKey(`key ${pem.trim()} end`), `key ${redacted} end`)
  assert.equal(redactKey(`part ${line}`), `part ${redacted}`)
})

test('fields that hold credentials are emptied at any depth, keys and values redacted', () => {
  const given = {
    a: [{ Authorization: 'Bearer x', 'set-cookie': ['a'], apiKey: { b: 1 }, tokens: 3 }],
    [`k ${secret}`]: `v ${secret}`,
  }
  assert.deepEqual(redactJson(given, redact), {
    a: [{ Authorization: redacted, 'set-cookie': redacted, apiKey: redacted, tokens: 3 }],
    [`k ${redacted}`]: `v ${redacted}`,
  })
})

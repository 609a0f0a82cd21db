import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { type ErrorCode, JackstayError } from './errors.ts'
import {
  asJson,
  canonical,
  digestOf,
  parseCanonical,
  parseLimited,
  sha256,
  wireLimits,
} from './json.ts'

const refuses = (text: string, code: ErrorCode | readonly ErrorCode[], parse = parseCanonical) =>
  assert.throws(
    () => parse(text),
    (error) => error instanceof JackstayError && [code].flat().includes(error.code),
    text.slice(0, 80),
  )

/** Any JSON value without the keys we refuse. */
const json = fc
  .jsonValue({ maxDepth: 5 })
  .filter((value) => !/"(__proto__|constructor|prototype)":/.test(JSON.stringify(value)))

describe('the canonical form', () => {
  // the sample of RFC 8785, section 3.2.2 to 3.2.4
  it('sorts, shortens and unescapes as in the RFC', () => {
    const sample = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    assert.equal(
      canonical(JSON.parse(sample)),
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('sorts keys by UTF-16 code units, not by code points (section 3.2.3)', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6']
    const text = canonical(Object.fromEntries(keys.map((key) => [key, 0])))
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']
    assert.equal(text, `{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`)
  })

  it('writes numbers as in appendix B', () => {
    const numbers: [string, string][] = [
      ['0000000000000000', '0'],
      ['8000000000000000', '0'],
      ['0000000000000001', '5e-324'],
      ['8000000000000001', '-5e-324'],
      ['7fefffffffffffff', '1.7976931348623157e+308'],
      ['ffefffffffffffff', '-1.7976931348623157e+308'],
      ['4340000000000000', '9007199254740992'],
      ['c340000000000000', '-9007199254740992'],
      ['4430000000000000', '295147905179352830000'],
      ['44b52d02c7e14af5', '9.999999999999997e+22'],
      ['44b52d02c7e14af6', '1e+23'],
      ['44b52d02c7e14af7', '1.0000000000000001e+23'],
      ['444b1ae4d6e2ef4e', '999999999999999700000'],
      ['444b1ae4d6e2ef4f', '999999999999999900000'],
      ['444b1ae4d6e2ef50', '1e+21'],
      ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
      ['3eb0c6f7a0b5ed8d', '0.000001'],
      ['41b3de4355555553', '333333333.3333332'],
      ['41b3de4355555554', '333333333.33333325'],
      ['41b3de4355555555', '333333333.3333333'],
      ['41b3de4355555556', '333333333.3333334'],
      ['41b3de4355555557', '333333333.33333343'],
      ['becbf647612f3696', '-0.0000033333333333333333'],
      ['43143ff3c1cb0959', '1424953923781206.2'],
    ]
    for (const [ieee, text] of numbers) {
      assert.equal(canonical(Buffer.from(ieee, 'hex').readDoubleBE()), text)
    }
  })

  it('does not exist for what JSON cannot carry', () => {
    const circle: unknown[] = []
    circle.push(circle)
    const values = [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udc00': 1 }, 1n]
    for (const value of [...values, circle, undefined, () => 0]) {
      assert.throws(
        () => canonical(value),
        (error) => error instanceof JackstayError && error.code === 'not_canonical',
      )
    }
  })

  it('is the same for the same value, however it was built', () => {
    assert.equal(digestOf({ b: 1, a: [2, -0] }), digestOf({ a: [2, 0], b: 1, c: undefined }))
    assert.equal(digestOf({}), sha256('{}'))
    assert.equal(
      sha256(''),
      `sha256:${'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}`,
    )
  })

  it('reads back as the value it was made from', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonical(value)
        assert.deepEqual(parseCanonical(text), JSON.parse(JSON.stringify(value)))
        assert.equal(canonical(parseCanonical(text)), text)
      }),
    )
  })

  it('is what the reference writes, whether the keys stood in order or not', () => {
    const inOrder = (value: unknown): unknown =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, item]) => [key, inOrder(item)]),
          )
        : value
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        assert.equal(canonical(value), canonicalize(value))
        assert.equal(canonical(inOrder(value)), canonicalize(value))
        const once = asJson(value)
        assert.equal(canonical({ z: once, a: [once] }), canonicalize({ z: value, a: [value] }))
      }),
    )
    const long = fc.string({ minLength: 60, maxLength: 300, unit: 'binary' })
    fc.assert(fc.property(long, (text) => assert.equal(canonical(text), canonicalize(text))))
    for (let code = 0; code < 0x180; code++) {
      for (const at of [0, 65, 66, 67, 68, 99]) {
        const text = 'x'.repeat(at) + String.fromCharCode(code) + 'x'.repeat(99 - at)
        assert.equal(canonical(text), canonicalize(text))
      }
    }
    for (const value of [
      { a: { toJSON: () => 1 } },
      { a: new Date(0), b: undefined },
      [undefined, () => 0],
      { 9: 1, 10: 2 },
      Object.assign([1], { toJSON: () => 2 }),
      Object.assign([{ b: 1, a: 2 }], { toJSON: () => 2 }),
      { b: undefined, a: { d: 1, c: undefined, e: [{ z: 1, y: undefined }, 2] } },
      Object.fromEntries([
        ['b', 1],
        ['__proto__', { d: 1, c: 2 }],
      ]),
    ]) {
      assert.equal(canonical(value), canonicalize(value))
      assert.equal(canonical(asJson(value)), canonicalize(value))
    }
  })

  it('is the only form: one changed byte fails or is another value', () => {
    fc.assert(
      fc.property(json, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const text = canonical(value)
        const bytes = Buffer.from(text)
        const i = at % bytes.length
        bytes[i] = (bytes[i] ?? 0) ^ change
        const bent = bytes.toString('utf8')
        fc.pre(Buffer.from(bent).equals(bytes)) // else it is no UTF-8, and stopped before
        try {
          assert.notDeepEqual(parseCanonical(bent), parseCanonical(text))
        } catch (error) {
          assert.ok(error instanceof JackstayError, String(error))
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('hostile JSON', () => {
  it('T10 has no key twice', () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":1,"a":2}',
      '[{"x":{"a":1,"a":2}}]',
      String.raw`{"a":1,"\u0061":2}`,
    ]) {
      refuses(text, 'not_canonical')
    }
  })

  it('has no other order, no white space, no other spelling', () => {
    for (const text of ['{"b":1,"a":1}', '{"a": 1}', '[1 ]', '1\n', String.raw`"\u0061"`, '1.0']) {
      refuses(text, 'not_canonical')
    }
    refuses('\ufeff{}', 'malformed_json')
  })

  it('T11 reaches no prototype, at any depth', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).toSorted()
    const key = fc.constantFrom('__proto__', 'constructor', 'prototype', String.raw`__\u0070roto__`)
    const around = fc.array(fc.constantFrom(['[', ']'], ['{"a":', '}']), { maxLength: 14 })
    fc.assert(
      fc.property(key, around, (name, shells) => {
        const inner = `{"${name}":{"polluted":true}}`
        const text = shells.reduce((body, [open, close]) => `${open}${body}${close}`, inner)
        refuses(text, 'forbidden_key')
        refuses(text, 'forbidden_key', parseLimited)
      }),
    )
    assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).toSorted(), before)
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  })

  it('T12 has no number that would change', () => {
    for (const text of ['NaN', 'Infinity', '-Infinity', '+1', '01', '.5', '1.', '0x1', '1e400']) {
      refuses(text, 'malformed_json')
      refuses(`{"n":[${text}]}`, 'malformed_json', parseLimited)
    }
    for (const text of [
      '-0',
      '-0.0',
      '9007199254740993',
      '1e0',
      '10e-1',
      '1E2',
      '0.10',
      '1e-400',
    ]) {
      refuses(text, 'not_canonical')
    }
    assert.equal(parseCanonical('9007199254740991'), Number.MAX_SAFE_INTEGER)
  })

  it('T14 has no half of a surrogate pair, in a value or a key', () => {
    for (const text of [String.raw`"\ud800"`, String.raw`{"\udc00":1}`, '"\ud800"']) {
      refuses(text, 'malformed_json')
      refuses(text, 'malformed_json', parseLimited)
    }
  })

  it('T13 is no longer, deeper or wider than its limits', () => {
    refuses(`"${'x'.repeat(10 * 1024 * 1024)}"`, 'too_large')
    refuses('['.repeat(10_000), 'too_large')
    refuses(`${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'too_large')
    refuses(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'too_large')
    refuses(`[${'0,'.repeat(4096)}0]`, 'too_large')
    // bytes, not characters
    refuses(`"${'€'.repeat(wireLimits.bytes / 2)}"`, 'too_large')
  })

  it('T13 does no harm either where the limits are wide', () => {
    const wide = { bytes: 64 * 1024 * 1024, depth: 100_000, nodes: 4096 }
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
    refuses(deep, 'too_large', (text) => parseCanonical(text, wide))
    assert.ok(parseCanonical(deep, { ...wide, nodes: 100_000 }))
    const keys = Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":0`).join(',')
    refuses(`{${keys}}`, 'too_large', (text) => parseLimited(text, wide))
  })

  it('is exactly at its limits still read', () => {
    const depth = wireLimits.depth
    assert.ok(parseCanonical(`${'['.repeat(depth)}${']'.repeat(depth)}`))
    refuses(`${'['.repeat(depth + 1)}${']'.repeat(depth + 1)}`, 'too_large')
    assert.ok(parseCanonical(`[${'0,'.repeat(wireLimits.nodes - 2)}0]`))
    assert.ok(parseCanonical(`"${'x'.repeat(wireLimits.bytes - 2)}"`))
    refuses(`"${'x'.repeat(wireLimits.bytes - 1)}"`, 'too_large')
  })

  it('may hold brackets and quotes in strings, however deep they look', () => {
    const text = canonical({ ['["\\'.repeat(40)]: `${'{['.repeat(40)}"\\` })
    assert.ok(parseCanonical(text))
  })

  it('is read as somebody else wrote it only where that was asked for', () => {
    assert.deepEqual(parseLimited(' { "b" : 1.0 , "a" : [ ] } '), { a: [], b: 1 })
  })

  it('never brings down the parser', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0dn-1e.tf ') }),
    )
    fc.assert(
      fc.property(text, (body) => {
        try {
          assert.equal(canonical(parseCanonical(body)), body)
        } catch (error) {
          assert.ok(error instanceof JackstayError, String(error))
          assert.ok(error.status === 400 || error.status === 413)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { z } from 'zod'
import { agentName } from './intent.ts'
import { canonical } from './json.ts'
import {
  actionName,
  apiVersion,
  digest,
  dnsLabel,
  dnsName,
  kindName,
  uuid,
  uuid7,
  visible,
  visibleJson,
} from './text.ts'

/** Every name that stands in decisions, with one that is right. */
const names: [string, z.ZodType, string][] = [
  ['label', dnsLabel, 'web-1'],
  ['name', dnsName, 'web.shop-1'],
  ['apiVersion', apiVersion, 'apps/v1'],
  ['kind', kindName, 'Deployment'],
  ['action', actionName, 'workload.scale'],
  ['digest', digest, `sha256:${'a'.repeat(64)}`],
  ['uuid', uuid, '00000000-0000-4000-8000-00000000000a'],
  ['uuid7', uuid7, '019a0000-0000-7000-8000-00000000000a'],
  ['agent', agentName, 'jackstay-class-a/agent'],
]

/** Characters that look like, hide in, or reverse what stands around them. */
const tricks: Record<string, string> = {
  'Cyrillic a': '\u0430',
  'full-width e': '\uff45',
  'long s': '\u017f',
  'Kelvin sign': '\u212a',
  'combining mark (NFD)': 'e\u0301',
  'composed letter (NFC)': '\u00e9',
  'zero-width space': '\u200b',
  'zero-width joiner': '\u200d',
  'byte order mark': '\ufeff',
  'soft hyphen': '\u00ad',
  'right-to-left override': '\u202e',
  'first strong isolate': '\u2068',
  'variation selector': '\u{e0101}',
  tag: '\u{e0041}',
  'lone surrogate': '\ud800',
  'line break': '\n',
  'carriage return': '\r',
  nul: '\0',
  escape: '\u001b',
  blank: ' ',
  'line separator': '\u2028',
  tab: '\t',
  'upper case I with dot': '\u0130',
}

describe('names (T14)', () => {
  for (const [what, schema, right] of names) {
    it(`${what}: ASCII of its own alphabet and nothing else`, () => {
      assert.equal(schema.safeParse(right).success, true)
      for (const [trick, character] of Object.entries(tricks)) {
        for (const at of [0, 3, right.length]) {
          const bent = right.slice(0, at) + character + right.slice(at)
          assert.equal(schema.safeParse(bent).success, false, `${trick} at ${at}`)
        }
      }
      for (const other of ['', ` ${right}`, right.repeat(60), [right], 7, null]) {
        assert.equal(schema.safeParse(other).success, false, String(other).slice(0, 60))
      }
    })

    it(`${what}: whatever is accepted is printable ASCII`, () => {
      const near = fc
        .tuple(fc.nat({ max: right.length }), fc.string({ unit: 'binary', maxLength: 2 }))
        .map(([at, put]) => right.slice(0, at) + put + right.slice(at))
      fc.assert(
        fc.property(near, (text) => {
          if (schema.safeParse(text).success) assert.match(text, /^[!-~]+$/)
        }),
      )
    })
  }

  it('follow the rules of Kubernetes', () => {
    const refused: [z.ZodType, string[]][] = [
      [dnsLabel, ['-a', 'a-', 'A', 'a_b', 'a.b', 'a'.repeat(64)]],
      [dnsName, ['.a', 'a.', 'a..b', 'a.-b', 'a/b', 'a'.repeat(254)]],
      [apiVersion, ['apps', 'apps/1', '/v1', 'apps/v1/x', 'Apps/v1']],
      [kindName, ['deployment', 'Deploy-ment']],
      [actionName, ['scale', 'Workload.scale', 'workload.', 'workload.Scale', 'a.b.c']],
      [uuid, ['00000000-0000-4000-8000-00000000000A', '0'.repeat(36)]],
      [uuid7, ['019a0000-0000-4000-8000-00000000000a', '019a0000-0000-7000-c000-00000000000a']],
      [agentName, ['agent', 'a/b/c', '/b', 'a/', `${'a'.repeat(64)}/b`, 'A/b']],
      [digest, ['sha256:', `sha512:${'a'.repeat(64)}`, `sha256:${'A'.repeat(64)}`]],
    ]
    for (const [schema, texts] of refused) {
      for (const text of texts) assert.equal(schema.safeParse(text).success, false, text)
    }
  })
})

describe('text as a person sees it', () => {
  it('shows what hides, moves or colours (T14, T55)', () => {
    const cases: [string, string][] = [
      ['\u001b[31mred\u001b[0m', '\\u{1b}[31mred\\u{1b}[0m'],
      ['safe\u202egnp.exe', 'safe\\u{202e}gnp.exe'],
      ['\u2066a\u2069', '\\u{2066}a\\u{2069}'],
      ['ad\u200bmin\ufeff', 'ad\\u{200b}min\\u{feff}'],
      ['a\u00adb\u2060c', 'a\\u{ad}b\\u{2060}c'],
      ['a\u{e0041}\u{e0101}\ufe0f\u180bb', 'a\\u{e0041}\\u{e0101}\\u{fe0f}\\u{180b}b'],
      ['one\r\ntwo\nthree\tfour', 'one two three four'],
      ['a\u2028b\u2029c\u0085d', 'a\\u{2028}b\\u{2029}c\\u{85}d'],
      ['\u3164\u115f\ue000', '\\u{3164}\\u{115f}\\u{e000}'],
      ['\0\b\u007f\u009b', '\\u{0}\\u{8}\\u{7f}\\u{9b}'],
      ['half \ud800 pair', 'half \ufffd pair'],
      ['e\u0301', '\u00e9'],
      ['plain, größer, 日本, 😀', 'plain, größer, 日本, 😀'],
    ]
    for (const [text, shown] of cases) assert.equal(visible(text), shown)
  })

  it('caps what it shows after escaping, and says that it did', () => {
    assert.equal(visible('x'.repeat(1025)), `${'x'.repeat(1023)}…`)
    assert.equal(visible('x'.repeat(1024)).length, 1024)
    assert.equal(visible('\u200b'.repeat(20), 16), '\\u{200b}\\u{200b…')
  })

  it('never halves a character at the cut: half of one could not be recorded', () => {
    assert.equal(visible('abc😀def', 5), 'abc…')
    for (let max = 1; max < 20; max++) assert.ok(canonical(visible('😀'.repeat(20), max)))
  })

  it('is safe, capped, and the same when shown again, for any text', () => {
    const nasty = fc.string({ unit: 'binary', maxLength: 200 })
    const mixed = fc.string({
      unit: fc.constantFrom(
        ...Object.values(tricks),
        'a',
        '\\',
        '{',
        '}',
        '\u0338',
        '\u0323',
        '😀',
      ),
      maxLength: 60,
    })
    fc.assert(
      fc.property(fc.oneof(nasty, mixed), fc.integer({ min: 1, max: 80 }), (text, max) => {
        const shown = visible(text, max)
        assert.ok(shown.length <= max)
        assert.ok(shown.isWellFormed())
        assert.doesNotMatch(
          shown,
          /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Default_Ignorable_Code_Point}]/u,
        )
        assert.equal(shown.normalize('NFC'), shown)
        assert.equal(visible(shown, max), shown)
      }),
      { numRuns: 1000 },
    )
  })
})

it('T55 JSON that people look at hides nothing, and is the same value', () => {
  const hostile = 'a\u001b[31m\u009b31m\u202e\u2066\u200b\ufe0f\u3164\u{e0041}\u2028\ue000\ud800"\\'
  const text = visibleJson({ [hostile]: [hostile, 1] })
  assert.match(text, /^[\x20-\x7e]*$/)
  assert.deepEqual(JSON.parse(text), { [hostile]: [hostile, 1] })
  assert.equal(visibleJson({ a: ['é', '名'] }, 1), '{\n "a": [\n  "é",\n  "名"\n ]\n}')
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Document, isScalar, parseDocument, Scalar } from 'yaml'
import { offsetInScalar } from './scalar.ts'

const styles = [
  Scalar.PLAIN,
  Scalar.QUOTE_SINGLE,
  Scalar.QUOTE_DOUBLE,
  Scalar.BLOCK_FOLDED,
  Scalar.BLOCK_LITERAL,
] as const

/** A file with the text in one style, as a person or a program may write it. */
function written(text: string, style: Scalar.Type, windows: boolean): string {
  const node = new Scalar(text)
  node.type = style
  const document = new Document({ spec: { rules: [{ when: node }] } })
  const file = document.toString({ lineWidth: 40, minContentWidth: 10 })
  return windows ? file.replaceAll('\n', '\r\n') : file
}

function scalarOf(file: string): Scalar {
  const node = parseDocument(file).getIn(['spec', 'rules', 0, 'when'], true)
  assert.ok(isScalar(node))
  return node
}

describe('a place in a scalar', () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      'b.c',
      '"',
      "'",
      ' ',
      '  ',
      '\n',
      '\n\n',
      '\\',
      '&& ',
      '#',
      ': ',
      'ü',
      '😀',
      '\t',
      '\u0001',
    ],
  )
  const text = fc.array(piece, { minLength: 1, maxLength: 40 }).map((parts) => parts.join(''))
  it('is the character itself, whatever the style of the scalar', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...styles), fc.boolean(), (value, style, windows) => {
        const file = written(value, style, windows)
        const node = scalarOf(file)
        fc.pre(typeof node.value === 'string')
        const read = String(node.value)
        for (let i = 0; i < read.length; i++) {
          const character = read[i] ?? ''
          if (/[ \t\r\n]/.test(character)) continue
          const at = offsetInScalar(file, node, i)
          const here = file[at]
          // an escape stands for its character from its backslash on
          assert.ok(here === character || here === '\\', JSON.stringify([file, i, at]))
        }
      }),
      { numRuns: 500 },
    )
  })
  it('knows escapes of every length', () => {
    const file = 'when: "\\x61 \\u0062\\t\\U0001F600\\"c\\\n  d"'
    const node = parseDocument(file).get('when', true)
    assert.ok(isScalar(node))
    assert.equal(node.value, 'a b\t😀"cd')
    const at = (character: string) =>
      file.slice(offsetInScalar(file, node, String(node.value).indexOf(character))).slice(0, 2)
    assert.deepEqual(['a', 'b', '😀', '"', 'c', 'd'].map(at), [
      '\\x',
      '\\u',
      '\\U',
      '\\"',
      'c\\',
      'd"',
    ])
  })
})

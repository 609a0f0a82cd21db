import { parse } from '@bufbuild/cel'
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'

/**
 * The library's parser does not know `a.?b` and `a[?b]`. They are written as fields and calls of this name
 * and taken back when the tree is compiled.
 */
export const optionalField = '_optional_'
export const optionalIndex = '_optional_at_'

const token =
  /(?:[rR][bB]?|[bB][rR])(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n]*"|'[^'\n]*')|[bB]?(?:"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\/[^\n]*|[A-Za-z_][A-Za-z_0-9]*|\s+|[\s\S]/g

/** @throws Error for what is no CEL, and for optional entries of lists and maps, which are not offered */
export function readExpression(source: string): Expr {
  if (source.includes(optionalField)) throw new TypeError(`\`${optionalField}\` is not a name`)
  return parse(withoutOptionals(source)).expr
}

function withoutOptionals(source: string): string {
  const parts = [...source.matchAll(token)].map(([part]) => part)
  const closing: string[] = []
  let text = ''
  let before = ''
  for (const [i, part] of parts.entries()) {
    const opens = part === '[' || part === '(' || part === '{'
    if (part === '?' && (before === '.' || before === '[')) {
      if (before === '.') text += optionalField
      continue
    }
    const optional = part === '[' && following(parts, i) === '?'
    if ((part === '{' && following(parts, i) === '?') || (optional && !isOperand(before))) {
      throw new TypeError('optional entries of lists and maps are not offered')
    }
    if (opens) closing.push(optional ? ')' : closes[part])
    if (optional) text += `.${optionalIndex}(`
    else text += part === ']' ? (closing.at(-1) ?? part) : part
    if (part === ']' || part === ')' || part === '}') closing.pop()
    if (part.trim() !== '' && !part.startsWith('//')) before = part
  }
  return text
}

const closes = { '[': ']', '(': ')', '{': '}' }

function following(parts: readonly string[], i: number): string | undefined {
  return parts.slice(i + 1, i + 4).find((part) => part.trim() !== '')
}

/** Whether a bracket after it is an index. */
function isOperand(before: string): boolean {
  return /[\w)\]}"']$/.test(before) && before !== 'in'
}

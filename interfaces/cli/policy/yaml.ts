import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml'
import type { InputFile } from './files.ts'
import { offsetInScalar } from './scalar.ts'

/** A stretch of a file; line and column count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Characters from there on that are meant. */
  readonly length: number
}

export interface Mistake {
  readonly severity: 'error' | 'warning'
  readonly place: Place
  readonly message: string
  readonly suggestion?: string | undefined
}

export type Path = readonly PropertyKey[]

/** One YAML document with its value, and where everything in it stands. */
export interface Written {
  readonly file: InputFile
  readonly value: unknown
  /** The value under a path, else what of the path there is. */
  placeOf(path: Path): Place
  /** The key at the end of a path, else as `placeOf`. */
  placeOfKey(path: Path): Place
  /** A line and column, counted from 1, inside the text under a path. */
  placeInText(path: Path, line: number, column: number): Place
  /** Words under a path that kubectl reads as something else than we do. */
  traps(path: Path): readonly Mistake[]
}

/** What aliases may multiply a file by: more is an attack, not a policy. */
const maxAliases = 100
/** The parser recurses, and puts the end of its stack among the mistakes. */
const overflow = /call stack|stack overflow/i

/** Reads every document of a file. What is wrong with it as YAML comes back with it. */
export function readYaml(file: InputFile): {
  readonly documents: readonly Written[]
  readonly mistakes: readonly Mistake[]
} {
  const counter = new LineCounter()
  const mistakes: Mistake[] = []
  const place = (offset: number, length = 1) => placeAt(file, counter, offset, length)
  const say = (offset: number, message: string, length = 1) =>
    void mistakes.push({ severity: 'error', place: place(offset, length), message })
  const documents: Written[] = []
  for (const document of parsedDocuments(file, counter)) {
    if (document.errors.some(({ message }) => overflow.test(message))) {
      say(document.range[0], 'nests deeper than any policy; name a file of policies')
      continue
    }
    for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
      const length = Math.max(1, pos[1] - pos[0])
      say(pos[0], explained(code, message, wordAt(file.text, pos[0])), length)
    }
    if (document.contents === null) continue
    const value = plainValue(document, (message) => say(document.range[0], message))
    if (value === undefined) continue
    documents.push(written(file, document, counter, value))
  }
  return { documents, mistakes }
}

function parsedDocuments(file: InputFile, lineCounter: LineCounter): readonly Document.Parsed[] {
  const parsed = parseAllDocuments(file.text, { lineCounter, prettyErrors: false, merge: true })
  return Array.isArray(parsed) ? parsed : []
}

function plainValue(document: Document.Parsed, say: (message: string) => void): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: maxAliases }) ?? undefined
    if (!endless(value)) return value
    say('an alias stands inside its own anchor; write it out')
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const many = /excessive alias/i.test(message)
    say(many ? 'aliases multiply this document without end; write it out' : noYaml(message))
    return undefined
  }
}

/** An anchor may hold an alias of itself; what comes after wants an end. */
function endless(value: unknown, above: readonly unknown[] = []): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (above.includes(value)) return true
  return Object.values(value).some((item) => endless(item, [...above, value]))
}

function noYaml(message: string): string {
  return `no YAML: ${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.$/, '')}`
}

function explained(code: string, message: string, word: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return `\`${word}\` is given twice; keep one`
    case 'TAB_AS_INDENT':
      return 'a tab cannot indent YAML; use spaces'
    default:
      return noYaml(message)
  }
}

/** What YAML 1.1, which kubectl speaks, reads as something else than we do. */
function traps(under: Node, place: (offset: number, length: number) => Place): readonly Mistake[] {
  const found: Mistake[] = []
  visit(under, {
    Scalar(_, { source = '', range, type }) {
      const message = type === 'PLAIN' ? trap(source) : undefined
      if (message === undefined || !range) return
      found.push({ severity: 'error', place: place(range[0], source.length), message })
    },
  })
  return found
}

function trap(source: string): string | undefined {
  if (/^(y|n|yes|no|on|off)$/i.test(source)) {
    return `to kubectl a bare \`${source}\` is true or false (YAML 1.1); write \`"${source}"\``
  }
  if (/^[-+]?0[0-7]+$/.test(source)) {
    return `to kubectl \`${source}\` is octal (YAML 1.1); write it without the leading zero, or in quotes`
  }
  if (/^[-+]?[0-9][0-9_]*_[0-9_]*$/.test(source)) {
    return `to kubectl \`${source}\` is a number (YAML 1.1); write it without \`_\`, or in quotes`
  }
  return undefined
}

function written(
  file: InputFile,
  document: Document.Parsed,
  counter: LineCounter,
  value: unknown,
): Written {
  const at = (offset: number, length: number) => placeAt(file, counter, offset, length)
  const placeOfNode = (node: Node | null | undefined): Place => {
    const [start, end] = node?.range ?? document.range
    const firstLine = file.text.slice(start, end).split(/\r?\n/)[0] ?? ''
    return at(start, Math.max(1, firstLine.trimEnd().length))
  }
  return {
    file,
    value,
    placeOf: (path) => placeOfNode(found(document, path).node),
    placeOfKey(path) {
      const { node, key, whole } = found(document, path)
      return placeOfNode(whole && key !== undefined ? key : node)
    },
    placeInText(path, line, column) {
      const { node, whole } = found(document, path)
      if (!whole || !isScalar(node) || typeof node.value !== 'string') return placeOfNode(node)
      const offset = offsetInScalar(file.text, node, offsetOf(node.value, line, column))
      return at(offset, wordAt(file.text, offset).length)
    },
    traps(path) {
      const { node, whole } = found(document, path)
      return whole && node ? traps(node, at) : []
    },
  }
}

interface Found {
  readonly node: Node | null | undefined
  readonly key: Node | undefined
  /** Whether the whole path was there. */
  readonly whole: boolean
}

/** Follows a path through aliases and merges as far as it goes. */
function found(document: Document.Parsed, path: Path): Found {
  let node = resolved(document, document.contents)
  let key: Node | undefined
  for (const step of path) {
    const pair = isMap(node) ? pairOf(document, node, step) : undefined
    const item = isSeq(node) && typeof step === 'number' ? node.items[step] : undefined
    const next = pair === undefined ? item : pair.value
    if (pair === undefined && item === undefined) return { node, key, whole: false }
    // a key without a value is placed at the key
    key = pair?.key
    node = resolved(document, next) ?? pair?.key
  }
  return { node, key, whole: true }
}

function resolved(document: Document.Parsed, node: unknown): Node | undefined {
  if (isAlias(node)) return node.resolve(document)
  return isScalar(node) || isCollection(node) ? node : undefined
}

function pairOf(
  document: Document.Parsed,
  map: YAMLMap,
  step: PropertyKey,
  depth = 0,
): Pair<Scalar, unknown> | undefined {
  const pairs = map.items.filter((pair): pair is Pair<Scalar, unknown> => isScalar(pair.key))
  const own = pairs.findLast((pair) => String(pair.key.value) === String(step))
  if (own !== undefined || depth > 8) return own
  for (const merge of pairs.filter((pair) => pair.key.source === '<<')) {
    const from = resolved(document, merge.value)
    const sources = isSeq(from) ? from.items.map((item) => resolved(document, item)) : [from]
    for (const source of sources) {
      const pair = isMap(source) ? pairOf(document, source, step, depth + 1) : undefined
      if (isPair(pair)) return pair
    }
  }
  return undefined
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0
  for (let i = 1; i < line; i++) {
    const end = text.indexOf('\n', start)
    if (end < 0) break
    start = end + 1
  }
  return start + column - 1
}

function wordAt(text: string, offset: number): string {
  return /^\.?[\w@-]+/.exec(text.slice(offset, offset + 64))?.[0] ?? text.slice(offset, offset + 1)
}

function placeAt(file: InputFile, counter: LineCounter, offset: number, length: number): Place {
  const { line, col } = counter.linePos(offset)
  return { file: file.name, line: Math.max(1, line), column: Math.max(1, col), length }
}

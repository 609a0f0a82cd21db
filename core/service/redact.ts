/** Replaces every known secret in a text. */
export type Redactor = (text: string) => string

export const redacted = '[redacted]'

const minLength = 8
const maxValues = 256

/** A text as it is compared: without characters that only split. */
interface View {
  readonly text: string
  /** For each UTF-16 unit of `text`, where it starts and ends in the original. */
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

interface Forms {
  readonly plain: readonly string[]
  readonly decoded: readonly string[]
}

const splitter = /^[\s\p{Cc}\p{Cf}]$/u
const splitters = /[\s\p{Cc}\p{Cf}]+/gu

function splits(char: string): boolean {
  const graphic = char > ' ' && char <= '~' // nearly every character, so the slow test is rare
  return !graphic && splitter.test(char)
}

/** Drops white space, control and format characters; with `decode`, resolves `%41`. */
function viewOf(text: string, decode: boolean): View {
  const starts: number[] = []
  const ends: number[] = []
  let view = ''
  for (let i = 0; i < text.length; ) {
    const coded = decode && text[i] === '%' ? /^%([0-9a-f]{2})/i.exec(text.slice(i, i + 3)) : null
    const char = coded?.[1]
      ? String.fromCharCode(Number.parseInt(coded[1], 16))
      : String.fromCodePoint(text.codePointAt(i) ?? 0)
    const end = i + (coded ? 3 : char.length)
    if (!splits(char)) {
      view += char
      for (let unit = 0; unit < char.length; unit++) {
        starts.push(i)
        ends.push(end)
      }
    }
    i = end
  }
  return { text: view, starts, ends }
}

/** Base64 of any text that contains `value`: one core per alignment, without the shared edges. */
function base64Cores(value: string): string[] {
  return [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)])
    const whole = bytes.toString('base64').replace(/=+$/, '')
    const head = offset === 0 ? 0 : offset + 1
    const tail = bytes.length % 3 === 0 ? 0 : 1
    return whole.slice(head, whole.length - tail)
  })
}

function formsOf(values: readonly string[]): Forms {
  const parts = values.slice(0, maxValues).flatMap((value) => {
    const lines = value
      .split(/\r?\n/)
      .filter((line) => line.length >= 32 && !line.startsWith('---'))
    return [value, ...lines]
  })
  const plain = new Set<string>()
  const decoded = new Set<string>()
  for (const part of parts) {
    const trimmed = part.trim()
    if (trimmed.length < minLength) continue
    const whole = Buffer.from(trimmed).toString('base64')
    const cores = [whole, whole.replace(/=+$/, ''), ...base64Cores(trimmed)]
    const urlSafe = cores.map((core) => core.replaceAll('+', '-').replaceAll('/', '_'))
    const hex = Buffer.from(trimmed).toString('hex')
    for (const form of [trimmed, ...cores, ...urlSafe, hex, hex.toUpperCase()]) {
      plain.add(viewOf(form, false).text)
      decoded.add(viewOf(form, true).text)
      // bytes outside ASCII arrive one by one from `%C3%A9`
      decoded.add(viewOf(encodeURIComponent(form.toWellFormed()), true).text)
    }
  }
  const long = (form: string) => form.length >= minLength
  return { plain: [...plain].filter(long), decoded: [...decoded].filter(long) }
}

function spansOf(view: View, forms: readonly string[]): [number, number][] {
  const spans: [number, number][] = []
  for (const form of forms) {
    for (let at = view.text.indexOf(form); at >= 0; at = view.text.indexOf(form, at + 1)) {
      spans.push([view.starts[at] ?? 0, view.ends[at + form.length - 1] ?? 0])
    }
  }
  return spans
}

function cut(text: string, spans: [number, number][]): string {
  if (spans.length === 0) return text
  let result = ''
  let end = 0
  let open = false
  for (const [from, to] of spans.sort((a, b) => a[0] - b[0])) {
    if (!open || from > end) {
      result += text.slice(end, from) + redacted
      open = true
    }
    end = Math.max(end, to)
  }
  return result + text.slice(end)
}

/**
 * Removes the values a program itself holds (tokens, keys) from text before it is logged or stored,
 * also as base64 (alone or inside a longer text), hex, URL-encoded, or split by white space or
 * invisible characters (T71). Values under 8 characters are left alone: they would shred the text.
 */
export function redactor(values: () => readonly string[]): Redactor {
  let seen: readonly string[] = []
  let forms: Forms = { plain: [], decoded: [] }
  return (text) => {
    const current = values()
    if (current.length !== seen.length || current.some((value, i) => value !== seen[i])) {
      seen = [...current]
      forms = formsOf(seen)
    }
    if (forms.plain.length === 0 || text.length < minLength) return text
    const coded = text.includes('%')
    // nearly every text has none: where in it something stands is found out when something does
    const joined = coded ? '' : text.replace(splitters, '')
    if (!coded && !forms.plain.some((form) => joined.includes(form))) return text
    const spans = spansOf(viewOf(text, false), forms.plain)
    if (coded) spans.push(...spansOf(viewOf(text, true), forms.decoded))
    return cut(text, spans)
  }
}

const secretKeys = new Set([
  'authorization',
  'proxyauthorization',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'bearertoken',
  'jws',
  'jwt',
  'password',
  'passphrase',
  'secret',
  'clientsecret',
  'apikey',
  'privatekey',
  'cookie',
  'setcookie',
  'kubeconfig',
])

/** Whether a field of this name is never logged, whatever it holds. */
function isSecretKey(key: string): boolean {
  return secretKeys.has(key.toLowerCase().replace(/[-_]/g, ''))
}

/** A JSON value with secret fields emptied and every text redacted, keys included. */
export function redactJson(value: unknown, redact: Redactor): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((item) => redactJson(item, redact))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      redact(key),
      isSecretKey(key) ? redacted : redactJson(item, redact),
    ]),
  )
}

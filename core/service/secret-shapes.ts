import { redacted } from './redact.ts'

/** A text without what looks like a secret, and how many such places it had. */
export interface Cleaned {
  readonly text: string
  readonly withheld: number
}

interface Shape {
  readonly pattern: RegExp
  /** The secret part is a group of its own where the text before it stays. */
  readonly keepsBefore?: boolean
  readonly after?: string
  /** For shapes that ordinary words can have too. */
  readonly onlyRandom?: boolean
}

const secretName =
  '(?:pass(?:word|wd|phrase)|passwd|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|client[-_]?secret|credentials?|connection[-_]?string)'
// the words around a name are bounded, or a long word would be tried from each of its letters
const key = `[\\w.-]{0,24}${secretName}[\\w.-]{0,24}`
const value =
  '\\\\"[^"\\\\\\n]{1,4096}\\\\"|"(?:[^"\\\\\\n]|\\\\.){1,4096}"|\'[^\'\\n]{1,4096}\'|[^\\s"\',;&)}\\]]{1,4096}'

/**
 * Names first, then shapes. Each pattern is linear: no two unbounded parts stand beside each other that
 * match the same characters. Prefixes are those that issuers publish for secret scanners.
 */
const shapes: readonly Shape[] = [
  { pattern: /\b((?:set-)?cookie["']?[ \t]{0,8}[:=][ \t]{0,8})[^\n"']{4,}/gi, keepsBefore: true },
  {
    pattern: /(authorization["']?[ \t]{0,8}[:=][ \t]{0,8}["']?(?:[a-z]{3,20} +)?)[^\s"']{4,}/gi,
    keepsBefore: true,
  },
  { pattern: /\b((?:bearer|basic) +)[\w+/.~=-]{8,}/gi, keepsBefore: true },
  {
    pattern: new RegExp(`(${key}(?:\\\\?["'])?(?:[ \\t]{0,4}=|:)[ \\t]{0,8})(?:${value})`, 'gi'),
    keepsBefore: true,
  },
  { pattern: new RegExp(`(--?${key}[ \\t]{1,8})(?!-)(?:${value})`, 'gi'), keepsBefore: true },
  {
    pattern: /\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@'"]{1,256}@/gi,
    keepsBefore: true,
    after: '@',
  },
  { pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}/g },
  { pattern: /\b(?:gh[pousr]_|github_pat_|glpat-|gldt-|npm_|hv[sb]\.|dop_v1_|shpat_)[\w-]{16,}/g },
  { pattern: /\bxox[abeprs]-[\w-]{10,}/g },
  { pattern: /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g },
  { pattern: /\bAIza[\w-]{30,}/g },
  { pattern: /\bya29\.[\w-]{20,}/g },
  { pattern: /\b[srp]k[-_][\w-]{20,}/g, onlyRandom: true },
  { pattern: /\bSG\.[\w-]{16,}\.[\w-]{16,}/g },
  { pattern: /\bpypi-[\w-]{20,}/g, onlyRandom: true },
  { pattern: /\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/g },
  { pattern: /\bhttps:\/\/hooks\.[a-z.]{1,60}\/services\/[\w/]{20,}/g },
  // what is left of a key when the text begins in its middle
  { pattern: /^[A-Za-z0-9+/]{56,80}={0,2}$/gm, onlyRandom: true },
  { pattern: /\b[\w+-]{40,}={0,2}/g, onlyRandom: true },
]

/** `token: null`, `password=***` and what is withheld already. */
const harmless = /^["']?(?:null|nil|none|true|false|undefined|<\w+>|\*+|\[redacted\]?)["']?$/i

/** Random text mixes capitals, small letters and digits; digests, names and paths do not. */
function isRandom(text: string): boolean {
  return /[A-Z]/.test(text) && /[a-z]/.test(text) && (text.match(/[0-9]/g)?.length ?? 0) > 2
}

/**
 * Removes what looks like a secret from text that others wrote: private keys, JWTs, tokens of
 * well-known issuers, passwords in URLs, `password=…`, `Authorization: …`, long random words (T38).
 * The text keeps its lines.
 * A net below the rule that no agent reads Secrets, not a promise: no list of shapes is complete. For
 * the values a program holds itself there is `redactor`.
 */
export function withoutSecrets(text: string): Cleaned {
  let { text: clean, withheld } = withoutKeys(text)
  for (const { pattern, keepsBefore = false, after = '', onlyRandom = false } of shapes) {
    clean = clean.replace(pattern, (match: string, first: unknown) => {
      const before = keepsBefore && typeof first === 'string' ? first : ''
      const found = match.slice(before.length)
      if (harmless.test(found) || (onlyRandom && !isRandom(found))) return match
      withheld++
      return before + redacted + after
    })
  }
  return { text: clean, withheld }
}

const begin = '-----BEGIN '
const end = '-----END '
const ending = /^-----END [A-Z0-9 ]{3,40}-----/

/**
 * Without PEM blocks of anything that is not public; one without an end hides the rest. Line breaks
 * stay: whoever has the time of each line can still put them together.
 */
function withoutKeys(text: string): Cleaned {
  const parts: string[] = []
  let withheld = 0
  let at = 0
  for (let from = text.indexOf(begin); from !== -1; from = text.indexOf(begin, at)) {
    const label = text.slice(from + begin.length, from + begin.length + 40)
    if (/^(CERTIFICATE|PUBLIC KEY)-/.test(label)) {
      parts.push(text.slice(at, from + begin.length))
      at = from + begin.length
      continue
    }
    const until = text.indexOf(end, from)
    const tail = until === -1 ? '' : (ending.exec(text.slice(until, until + 60))?.[0] ?? end)
    const next = until === -1 ? text.length : until + tail.length
    const breaks = text.slice(from, next).replace(/[^\n]+/g, '')
    parts.push(text.slice(at, from), redacted, breaks)
    withheld++
    at = next
  }
  return { text: parts.join('') + text.slice(at), withheld }
}

/** Whether a field of this name in a map that anybody may fill is likely to hold a secret. */
export function namesSecret(field: string): boolean {
  return secretField.test(field)
}

const secretField = new RegExp(secretName, 'i')

import { JackstayError } from '@jackstay/contract/errors'
import { type CosignatureVerifier, cosignatureVerifier, cosignedAt } from '../log/cosignature.ts'
import { openNote, parseVkey, type Verifier, verifierFromVkey } from '../log/note.ts'

/**
 * Which logs and witnesses somebody trusts and how many must have signed: the text format of
 * https://c2sp.org/tlog-policy, so that one file serves other people's tools too.
 */
export interface WitnessPolicy {
  /** Empty when the log's key comes from elsewhere. */
  readonly logs: readonly Verifier[]
  readonly witnesses: readonly PolicyWitness[]
  readonly quorum: Quorum
}

export interface PolicyWitness {
  /** What the policy calls it; its key has a name of its own. */
  readonly name: string
  readonly vkey: string
  readonly verifier: CosignatureVerifier
  /** The submission prefix, for those who ask it to cosign. */
  readonly url?: URL
}

export type Quorum =
  | { readonly kind: 'none' }
  | { readonly kind: 'witness'; readonly name: string }
  | {
      readonly kind: 'group'
      readonly name: string
      readonly threshold: number
      readonly members: readonly Quorum[]
    }

const none: Quorum = { kind: 'none' }
const longestPolicy = 256 * 1024
const mostNames = 256

/** @throws JackstayError `invalid_config` naming the line */
export function parseWitnessPolicy(text: string): WitnessPolicy {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format forbids exactly these
  if (text.length > longestPolicy || /[\x00-\x08\x0b-\x1f\x7f]/.test(text)) {
    throw new JackstayError('invalid_config', 'a witness policy is plain text of at most 256 KiB')
  }
  const reading = new Reading()
  for (const [i, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '')
    if (words.length === 0 || words[0]?.startsWith('#')) continue
    const problem = reading.line(words)
    if (problem === undefined) continue
    throw new JackstayError('invalid_config', `line ${i + 1} of the witness policy: ${problem}`)
  }
  return reading.policy()
}

class Reading {
  readonly #logs: Verifier[] = []
  readonly #witnesses: PolicyWitness[] = []
  readonly #names = new Map<string, Quorum>()
  readonly #grouped = new Set<string>()
  readonly #keys = new Set<string>()
  #quorum: Quorum | undefined

  /** What is wrong with the line, if anything is. */
  line([keyword, ...rest]: readonly string[]): string | undefined {
    switch (keyword) {
      case 'log':
        return this.#log(rest)
      case 'witness':
        return this.#witness(rest)
      case 'group':
        return this.#group(rest)
      case 'quorum':
        return this.#quorumLine(rest)
      default:
        return `\`${keyword}\` is not \`log\`, \`witness\`, \`group\` or \`quorum\``
    }
  }

  policy(): WitnessPolicy {
    if (this.#quorum === undefined) {
      throw new JackstayError(
        'invalid_config',
        'the witness policy has no `quorum` line: add one, or `quorum none` to ask for no witness',
      )
    }
    return { logs: this.#logs, witnesses: this.#witnesses, quorum: this.#quorum }
  }

  #log([vkey, url, ...more]: readonly string[]): string | undefined {
    if (vkey === undefined || more.length > 0) return 'write `log <vkey> [<url>]`'
    if (url !== undefined && webUrl(url) === undefined) return `\`${url}\` is no web address`
    const repeated = this.#repeated(vkey, 'note')
    if (repeated !== undefined) return repeated
    this.#logs.push(verifierFromVkey(vkey))
    return undefined
  }

  #witness([name, vkey, url, ...more]: readonly string[]): string | undefined {
    if (name === undefined || vkey === undefined || more.length > 0) {
      return 'write `witness <name> <vkey> [<url>]`'
    }
    const at = url === undefined ? undefined : webUrl(url)
    if (url !== undefined && at === undefined) return `\`${url}\` is no web address`
    const repeated = this.#define(name, { kind: 'witness', name })
    if (repeated !== undefined) return repeated
    const same = this.#repeated(vkey, 'cosignature')
    if (same !== undefined) return same
    const verifier = cosignatureVerifier(vkey)
    this.#witnesses.push({ name, vkey, verifier, ...(at !== undefined && { url: at }) })
    return undefined
  }

  #group([name, needed, ...members]: readonly string[]): string | undefined {
    if (name === undefined || needed === undefined || members.length === 0) {
      return 'write `group <name> all|any|<k> <member>…`'
    }
    const found: Quorum[] = []
    for (const member of members) {
      const one = this.#names.get(member)
      if (one === undefined) return `\`${member}\` is not defined above`
      // INVARIANT: a name counts in one place only, so no witness can count twice.
      if (this.#grouped.has(member)) return `\`${member}\` is already a member of a group`
      this.#grouped.add(member)
      found.push(one)
    }
    const threshold = thresholdOf(needed, members.length)
    if (threshold === undefined) {
      return `\`${needed}\` is not \`all\`, \`any\` or a number from 1 to ${members.length}`
    }
    return this.#define(name, { kind: 'group', name, threshold, members: found })
  }

  #quorumLine([name, ...more]: readonly string[]): string | undefined {
    if (name === undefined || more.length > 0) return 'write `quorum <name>` or `quorum none`'
    if (this.#quorum !== undefined) return 'there is a second `quorum` line'
    this.#quorum = name === 'none' ? none : this.#names.get(name)
    return this.#quorum === undefined ? `\`${name}\` is not defined above` : undefined
  }

  #define(name: string, is: Quorum): string | undefined {
    if (name === 'none') return '`none` cannot name a witness or group'
    if (this.#names.has(name)) return `\`${name}\` is defined twice`
    if (this.#names.size >= mostNames) return `more than ${mostNames} names`
    this.#names.set(name, is)
    return undefined
  }

  /** The same public key twice would be one witness with two votes. */
  #repeated(vkey: string, type: 'note' | 'cosignature'): string | undefined {
    const key = `${type} ${Buffer.from(parseVkey(vkey, type).publicKey).toString('hex')}`
    if (this.#keys.has(key)) return `the key of \`${vkey.slice(0, 200)}\` stands there twice`
    this.#keys.add(key)
    return undefined
  }
}

function thresholdOf(text: string, members: number): number | undefined {
  if (text === 'any') return 1
  if (text === 'all') return members
  if (!/^[1-9][0-9]{0,3}$/.test(text)) return undefined
  return Number(text) <= members ? Number(text) : undefined
}

function webUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined
}

export interface QuorumVerdict {
  readonly met: boolean
  /** In words, either way. */
  readonly reason: string
  /** Who cosigned, by the policy's names, and when in seconds since the epoch. */
  readonly cosigned: readonly { readonly name: string; readonly time: number }[]
}

/**
 * Whether a checkpoint was signed by its log and cosigned as the policy demands. `logs` are the
 * accepted log keys where the policy lists none.
 */
export function quorumMet(
  note: string,
  policy: WitnessPolicy,
  logs: readonly Verifier[] = policy.logs,
): QuorumVerdict {
  const witnesses = policy.witnesses.map(({ verifier }) => verifier)
  const opened = openNote(note, [...logs, ...witnesses])
  if (!opened.ok) return { met: false, reason: opened.problem, cosigned: [] }
  const origin = opened.text.split('\n')[0]
  if (!opened.signers.some((one) => logs.includes(one) && one.name === origin)) {
    return { met: false, reason: `not signed by the log \`${origin}\``, cosigned: [] }
  }
  const times = cosignedAt(note, witnesses)
  const cosigned = policy.witnesses
    .filter(({ verifier }) => opened.signers.includes(verifier))
    .map(({ name, verifier }) => ({ name, time: times.get(verifier) ?? 0 }))
  const names = new Set(cosigned.map(({ name }) => name))
  const lacking = lackOf(policy.quorum, names)
  const reason = lacking ?? wordsFor(policy.quorum, [...names])
  return { met: lacking === undefined, reason, cosigned }
}

function wordsFor(quorum: Quorum, names: readonly string[]): string {
  if (quorum.kind === 'none') return 'the policy asks for no witness'
  return `cosigned by ${names.map((name) => `\`${name}\``).join(', ')}`
}

/** What is missing to the quorum; undefined when it is met. */
function lackOf(quorum: Quorum, names: ReadonlySet<string>): string | undefined {
  switch (quorum.kind) {
    case 'none':
      return undefined
    case 'witness':
      return names.has(quorum.name) ? undefined : `not cosigned by \`${quorum.name}\``
    case 'group': {
      const lacks = quorum.members.map((member) => lackOf(member, names))
      const have = lacks.filter((lack) => lack === undefined).length
      if (have >= quorum.threshold) return undefined
      const { name, threshold, members } = quorum
      const missing = lacks.filter((lack) => lack !== undefined).join('; ')
      return `\`${name}\` needs ${threshold} of ${members.length} and has ${have}: ${missing}`
    }
  }
}

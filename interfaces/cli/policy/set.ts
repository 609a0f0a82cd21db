import { compileRules, type RuleSet } from '@jackstay/judge/rules'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import type { Terminal } from '../terminal.ts'
import { counted } from './counted.ts'
import { type InputFile, isCaseFile, pathsOf, readInput } from './files.ts'
import { printMistakes } from './mistakes.ts'
import { readObjects, type WrittenPolicy } from './rules.ts'
import { type Mistake, readYaml } from './yaml.ts'

/** Everything that files say about rules. */
export interface PolicySet {
  readonly files: readonly InputFile[]
  readonly policies: readonly WrittenPolicy[]
  /** What the files hold besides, and where. */
  readonly passedOver: readonly { readonly file: string; readonly what: string }[]
  /** In the order of the files. */
  readonly mistakes: readonly Mistake[]
}

/** Reads files and folders of policies and finds every mistake in them. */
export async function readPolicies(
  paths: readonly string[],
  terminal: Terminal,
): Promise<PolicySet> {
  const files: InputFile[] = []
  for (const path of await pathsOf(paths, 'policies')) files.push(await readInput(path, terminal))
  return policySet(files)
}

/** Pure: what `readPolicies` makes of what it read. */
function policySet(files: readonly InputFile[]): PolicySet {
  const passedOver: { file: string; what: string }[] = []
  const policies: WrittenPolicy[] = []
  const mistakes: Mistake[] = []
  let damaged = false
  for (const file of files) {
    if (isCaseFile(file.name)) {
      passedOver.push({ file: file.name, what: 'cases for `jackstay policy test`' })
      continue
    }
    const { documents, mistakes: found } = readYaml(file)
    damaged ||= found.length > 0
    mistakes.push(...found)
    if (documents.length === 0 && found.length === 0) mistakes.push(nothingIn(file))
    for (const document of documents) {
      for (const object of readObjects(document)) {
        if (object.policy !== undefined) policies.push(object.policy)
        if (object.passedOver !== undefined) {
          passedOver.push({ file: file.name, what: object.passedOver })
        }
        mistakes.push(...object.mistakes)
      }
    }
  }
  mistakes.push(...twice(policies))
  const whole = !damaged && mistakes.every(({ severity }) => severity !== 'error')
  if (whole) mistakes.push(...allowless(policies, files))
  return { files, policies, passedOver, mistakes: inOrder(mistakes.map(bounded), files) }
}

function inOrder(mistakes: readonly Mistake[], files: readonly InputFile[]): Mistake[] {
  const order = new Map(files.map(({ name }, i) => [name, i]))
  const fileOf = ({ place }: Mistake) => order.get(place.file) ?? 0
  return mistakes.toSorted(
    (a, b) =>
      fileOf(a) - fileOf(b) || a.place.line - b.place.line || a.place.column - b.place.column,
  )
}

/** An empty file, or comments alone: an accident rather than a wish. */
function nothingIn({ name }: InputFile): Mistake {
  const place = { file: name, line: 1, column: 1, length: 1 }
  return { severity: 'warning', place, message: 'nothing in this file' }
}

/** `kubectl apply` would keep the last of two with one name, without a word. */
function twice(policies: readonly WrittenPolicy[]): Mistake[] {
  const seen = new Map<string, WrittenPolicy>()
  return policies.flatMap((policy): Mistake[] => {
    const first = seen.get(policy.name)
    seen.set(policy.name, first ?? policy)
    if (first === undefined) return []
    const { file, line } = first.place
    const message = `another policy is named \`${policy.name}\` (${file}:${line}); only one would stay`
    return [{ severity: 'error', place: policy.place, message }]
  })
}

/** What no rule allows is denied: a set that allows nothing is rarely meant. */
function allowless(policies: readonly WrittenPolicy[], files: readonly InputFile[]): Mistake[] {
  const allows = policies.some(
    ({ spec }) => spec.mode === 'enforce' && spec.rules.some(({ allow }) => allow !== undefined),
  )
  if (allows) return []
  const place = policies[0]?.place ?? {
    file: files[0]?.name ?? '',
    line: 1,
    column: 1,
    length: 1,
  }
  const message =
    policies.length === 0
      ? 'no ActionPolicy here: without one every intent is denied'
      : 'no rule in force allows anything: with these alone every intent is denied'
  return [{ severity: 'warning', place, message }]
}

/** A message may quote the file. */
function bounded(mistake: Mistake): Mistake {
  const { message } = mistake
  return message.length <= 600 ? mistake : { ...mistake, message: `${message.slice(0, 599)}…` }
}

/** Rules ready to be asked. */
export interface SoundSet extends PolicySet {
  readonly rules: RuleSet
}

/**
 * The rules of files that have no mistake.
 * @throws CommandFailed after showing every mistake there is
 */
export async function soundPolicies(
  paths: readonly string[],
  terminal: Terminal,
): Promise<SoundSet> {
  const set = await readPolicies(paths, terminal)
  return sound(set, terminal)
}

/** @throws CommandFailed as `soundPolicies` */
export function sound(set: PolicySet, terminal: Terminal): SoundSet {
  const errors = set.mistakes.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) {
    printMistakes(terminal, errors, set.files)
    throw new CommandFailed(
      exitCodes.usage,
      'invalid_rule',
      `${counted(errors.length, 'mistake')} in the rules; correct ${errors.length === 1 ? 'it' : 'them'} first`,
    )
  }
  if (set.policies.length === 0) {
    throw new CommandFailed(
      exitCodes.usage,
      'no_policies',
      'no ActionPolicy in these files; name others',
    )
  }
  return { ...set, rules: compileRules(set.policies).rules }
}

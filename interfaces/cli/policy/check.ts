import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { type Line, styled } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { counted } from './counted.ts'
import { mistakeJson, mistakeLines } from './mistakes.ts'
import { type PolicySet, readPolicies } from './set.ts'

/** As many as a machine gets. */
const mostListed = 1000

/** `policy check`. @throws CommandFailed with exit code 2 when there is a mistake */
export async function checkPolicies(
  paths: readonly string[],
  json: boolean,
  terminal: Terminal,
): Promise<void> {
  const set = await readPolicies(paths, terminal)
  const { files, policies, passedOver, mistakes } = set
  const errors = mistakes.filter(({ severity }) => severity === 'error').length
  if (json) {
    printData(terminal, {
      ok: errors === 0 && policies.length > 0,
      files: files.map(({ name }) => name),
      policies: policies.map(({ name, spec }) => ({ name, rules: spec.rules.length })),
      passedOver,
      mistakes: mistakes.slice(0, mostListed).map(mistakeJson),
      count: mistakes.length,
    })
  } else print(terminal, checkLines(set))
  if (errors === 0 && policies.length === 0) {
    const message =
      'there is no ActionPolicy in what was given, so nothing was checked; correct the path'
    throw new CommandFailed(exitCodes.usage, 'no_policies', message)
  }
  if (errors === 0) return
  const them = errors === 1 ? 'it' : 'them'
  throw new CommandFailed(
    exitCodes.usage,
    'invalid_rule',
    `${counted(errors, 'mistake')}; correct ${them} and check again`,
  )
}

function checkLines({ files, policies, passedOver, mistakes }: PolicySet): Line[] {
  const rules = policies.reduce((sum, { spec }) => sum + spec.rules.length, 0)
  const errors = mistakes.some(({ severity }) => severity === 'error')
  const verdict = errors ? styled('red', 'not ok') : styled('green', 'ok')
  return [
    ...mistakeLines(mistakes, files),
    ...passedOver.map(({ file, what }) => [styled('dim', `${file}: passed over ${what}`)]),
    [
      verdict,
      ` — ${counted(files.length, 'file')}, ${counted(policies.length, 'readable policy', 'readable policies')}, ${counted(rules, 'rule')}`,
    ],
  ]
}

import { existsSync } from 'node:fs'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import { type Line, styled } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { type CaseFile, readCases } from './cases.ts'
import { counted } from './counted.ts'
import { type InputFile, isCaseFile, pathsOf, readInput } from './files.ts'
import { printMistakes } from './mistakes.ts'
import { soundPolicies } from './set.ts'
import { type CaseResult, type Coverage, coverageOf, judgeCase, unknownRules } from './verdict.ts'
import type { Mistake } from './yaml.ts'

export interface TestRequest {
  readonly paths: readonly string[]
  /** Percent of the rules that must match in some case. */
  readonly minCoverage: number
  readonly json: boolean
}

interface Tested {
  readonly file: CaseFile
  readonly ids: readonly string[]
  readonly results: readonly CaseResult[]
}

/** `policy test`. @throws CommandFailed: 1 when a case fails, 2 when a file has a mistake */
export async function testPolicies(request: TestRequest, terminal: Terminal): Promise<void> {
  const files: InputFile[] = []
  for (const path of await casePaths(request.paths)) files.push(await readInput(path, terminal))
  const read = files.map(readCases)
  refuse(
    read.flatMap(({ mistakes }) => mistakes),
    files,
    terminal,
  )
  const tested: Tested[] = []
  for (const { read: file } of read) {
    if (file !== undefined) tested.push(await testFile(file, files, terminal))
  }
  const coverage = coverageOf(
    tested.flatMap(({ ids }) => ids),
    tested.flatMap(({ results }) => results),
  )
  if (request.json) printData(terminal, testJson(tested, coverage))
  else print(terminal, testLines(tested, coverage))
  conclude(tested, coverage, request.minCoverage)
}

/** A policy may be named instead of the cases beside it. */
async function casePaths(given: readonly string[]): Promise<string[]> {
  const paths = await pathsOf(given, 'cases')
  return [...new Set(paths.map(beside))]
}

function beside(path: string): string {
  if (isCaseFile(path) || path === '-') return path
  const cases = path.replace(/(\.ya?ml)$/, '.test$1')
  if (cases !== path && existsSync(cases)) return cases
  if (cases === path) throw usageError(`\`${path}\` is no YAML file; name policies or their cases`)
  throw usageError(`\`${path}\` has no cases beside it; write \`${cases}\``)
}

async function testFile(
  file: CaseFile,
  files: readonly InputFile[],
  terminal: Terminal,
): Promise<Tested> {
  const { rules, policies } = await soundPolicies(file.policies, terminal)
  const ids = policies.flatMap(({ name, spec }) => spec.rules.map((rule) => `${name}/${rule.name}`))
  refuse(unknownRules(file.cases, ids), files, terminal)
  return { file, ids, results: file.cases.map((tested) => judgeCase(rules, tested)) }
}

function refuse(
  mistakes: readonly Mistake[],
  files: readonly InputFile[],
  terminal: Terminal,
): void {
  if (mistakes.length === 0) return
  printMistakes(terminal, mistakes, files)
  const them = `${counted(mistakes.length, 'mistake')} in the cases; correct ${mistakes.length === 1 ? 'it' : 'them'} first`
  throw new CommandFailed(exitCodes.usage, 'invalid_cases', them)
}

function testLines(tested: readonly Tested[], coverage: Coverage): Line[] {
  const all = tested.flatMap(({ results }) => results)
  const failed = all.filter(({ differences }) => differences.length > 0).length
  const verdict: Line =
    failed === 0
      ? [styled('green', 'ok'), ` — ${counted(all.length, 'case')}`]
      : [styled('red', 'not ok'), ` — ${failed} of ${counted(all.length, 'case')} failed`]
  return [
    ...tested.flatMap(({ file, results }) => [
      [styled('bold', file.file.name)],
      ...results.flatMap(caseLines),
    ]),
    verdict,
    coverageLine(coverage),
  ]
}

function caseLines({ case: tested, decision, differences }: CaseResult): Line[] {
  if (differences.length === 0) return [[styled('green', '  ✔ '), tested.name]]
  const { file, line } = tested.place
  const fired = decision.fired.map(({ id, outcome }) =>
    outcome === 'error' ? `${id} (failed)` : id,
  )
  return [
    [styled('red', '  ✖ '), tested.name, styled('dim', ` (${file}:${line})`)],
    ...differences.map((text) => ['      ', styled('red', text)]),
    [styled('dim', `      reason: ${decision.reason}`)],
    [styled('dim', `      fired: ${fired.join(', ') || 'no rule'}`)],
  ]
}

function coverageLine({ rules, matched, never }: Coverage): Line {
  const text = `coverage — ${matched} of ${counted(rules, 'rule')} matched in some case`
  return never.length === 0 ? [text] : [text, styled('yellow', `; never: ${firstOf(never)}`)]
}

/** As many ids as a person reads. */
function firstOf(ids: readonly string[]): string {
  const shown = ids.slice(0, 20).join(', ')
  return ids.length > 20 ? `${shown} and ${ids.length - 20} more` : shown
}

function testJson(tested: readonly Tested[], coverage: Coverage): object {
  const cases = tested.flatMap(({ results }) =>
    results.map(({ case: { name, place, expect }, decision, got, differences }) => ({
      file: place.file,
      line: place.line,
      name,
      ok: differences.length === 0,
      expected: expect.expect,
      got,
      reason: decision.reason,
      fired: decision.fired,
      requirements: decision.requirements,
      differences,
    })),
  )
  return { ok: cases.every(({ ok }) => ok), cases, coverage }
}

function conclude(tested: readonly Tested[], coverage: Coverage, minCoverage: number): void {
  const failed = tested
    .flatMap(({ results }) => results)
    .filter(({ differences }) => differences.length > 0).length
  if (failed > 0) {
    const message = `${counted(failed, 'case')} failed; correct the rule or the case`
    throw new CommandFailed(exitCodes.refused, 'cases_failed', message)
  }
  const { rules, matched, never } = coverage
  if (rules === 0 || (matched * 100) / rules >= minCoverage) return
  throw new CommandFailed(
    exitCodes.refused,
    'coverage_too_low',
    `${matched} of ${rules} rules matched, fewer than ${minCoverage} %; add cases for ${firstOf(never)}`,
  )
}

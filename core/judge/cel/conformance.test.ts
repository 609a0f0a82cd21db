import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SimpleTest } from '@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js'
import type { ExprValue } from '@bufbuild/cel-spec/cel/expr/eval_pb.js'
import {
  type Answer,
  askLibrary,
  askLibraryWithOurFunctions,
  askOurs,
  type Case,
  conformanceCases,
} from './conformance-suite.ts'

/** Why a test that the library passes may be refused here. A wrong value is never by design. */
const byDesign: readonly {
  readonly reason: string
  readonly covers: (expression: string, message: string, test: SimpleTest) => boolean
}[] = [
  {
    reason: 'rules know no protobuf messages, enumerations and wrappers, and no container of names',
    covers: (expression, message, { container, bindings }) =>
      container !== '' ||
      Object.values(bindings).some(isMessage) ||
      /is not a type that rules can make/.test(message) ||
      (/unknown (variable|function)/.test(message) &&
        /TestAllTypes|google\.protobuf|Enum/.test(expression)),
  },
  {
    reason: '`||`, `&&`, `all` and `exists` swallow no error',
    covers: (expression, message) =>
      !message.startsWith('problem:') && /\|\||&&|\.all\(|\.exists\(/.test(expression),
  },
  {
    reason: 'an unknown name is refused when a rule is loaded, also where it would not be reached',
    covers: (expression, message) =>
      /^problem: unknown (variable|function)/.test(message) && /\|\| true$/.test(expression),
  },
  {
    reason: 'variables have no dots in their names',
    covers: (expression, message) =>
      /^problem: unknown variable `[ax]`/.test(message) && /^[ax]\.[by](\.c)?$/.test(expression),
  },
  {
    reason: 'no text is taken for a number that is not finite',
    covers: (expression, message) =>
      message === 'not a number' && /double\("(NaN|-?Infinity)"\)/.test(expression),
  },
]

interface Outcome {
  readonly test: Case
  readonly library: Answer
  readonly ours: Answer
}

describe("cel-spec's conformance suite", () => {
  // what only type-checks has no value to compare: rules are not typed in advance
  const outcomes: readonly Outcome[] = conformanceCases()
    .filter(({ test }) => !test.checkOnly)
    .map((test) => ({ test, library: askLibrary(test), ours: askOurs(test) }))

  it('is there', () => assert.ok(outcomes.length > 2000, `${outcomes.length} tests`))

  it('finds no wrong answer', () => {
    const wrong = outcomes.filter(({ ours }) => ours.kind === 'wrong')
    assert.deepEqual(
      wrong.map(({ test, ours }) => [test.path, test.test.expr, ours]),
      [],
    )
  })

  it('passes all that the library passes, but for what is refused by design', () => {
    const unexplained = outcomes.filter(
      ({ test, library, ours }) =>
        library.kind === 'passed' && ours.kind !== 'passed' && reasonFor(test, ours) === undefined,
    )
    assert.deepEqual(
      unexplained.map(({ test, ours }) => [test.path, test.test.expr, ours]),
      [],
    )
  })

  it('keeps the values of what rules cannot say, where the library evaluates it with our functions', (t) => {
    const unsaid = outcomes.filter(
      ({ library, ours }) => library.kind === 'passed' && ours.kind === 'refused',
    )
    const lost = unsaid.filter(({ test }) => askLibraryWithOurFunctions(test).kind !== 'passed')
    t.diagnostic(`${unsaid.length} refused in rules, of which ${lost.length} lose their value`)
    assert.deepEqual(
      lost.map(({ test }) => test.test.expr).filter((expression) => !lostByDesign(expression)),
      [],
    )
  })

  it('has no reason that explains nothing', () => {
    const given = new Set(outcomes.map(({ test, ours }) => reasonFor(test, ours)))
    for (const { reason } of byDesign) assert.ok(given.has(reason), reason)
  })

  it('prints the figures', (t) => {
    for (const line of figures(outcomes)) t.diagnostic(line)
  })
})

/** Texts for what is no finite number, and an Any, which is compared by its bytes: rules have none. */
function lostByDesign(expression: string): boolean {
  return /double\(['"](NaN|-?Infinity)['"]\)|google\.protobuf\.Any\{/.test(expression)
}

function reasonFor({ test }: Case, ours: Answer): string | undefined {
  if (ours.kind !== 'refused') return undefined
  return byDesign.find(({ covers }) => covers(test.expr, ours.message, test))?.reason
}

function isMessage({ kind }: ExprValue): boolean {
  return kind.case === 'value' && kind.value.kind.case === 'objectValue'
}

/** Passed, refused by design, and not in the library either, file by file. */
function figures(outcomes: readonly Outcome[]): readonly string[] {
  const lines = [...Map.groupBy(outcomes, ({ test }) => test.file)].map(([file, some]) => {
    const passed = some.filter(({ ours }) => ours.kind === 'passed').length
    const theirs = some.filter(({ library }) => library.kind === 'passed').length
    const refused = some.filter(
      ({ library, ours }) => ours.kind === 'refused' && library.kind === 'passed',
    )
    const wrong = some.filter(({ library }) => library.kind === 'wrong').length
    return `${file}: ${passed} of ${some.length} passed, ${refused.length} refused by design; the library alone: ${theirs}, ${wrong} wrong`
  })
  const reasons = Map.groupBy(
    outcomes.filter(({ library, ours }) => library.kind === 'passed' && ours.kind === 'refused'),
    ({ test, ours }) => reasonFor(test, ours),
  )
  return [...lines, ...[...reasons].map(([reason, some]) => `${some.length} refused: ${reason}`)]
}

import { dirname, join } from 'node:path'
import { actionName } from '@jackstay/contract/text'
import type { DecideInput } from '@jackstay/judge/decide'
import type { Outcome } from '@jackstay/judge/explain'
import { type Facts, judgedFacts } from '@jackstay/judge/facts'
import { sampleApproval } from '@jackstay/judge/sample-facts'
import { z } from 'zod'
import type { InputFile } from './files.ts'
import { schemaMistakes, valueAt } from './schema.ts'
import { type Changes, situation, withTime } from './situation.ts'
import { type Mistake, type Path, type Place, readYaml, type Written } from './yaml.ts'

const outcomes = ['allow', 'deny', 'approval'] as const satisfies readonly Outcome[]

/** What a case, a whole file of cases, or an intent to be explained may say. */
const situationFields = {
  now: z.string().optional().describe('RFC 3339; short for `facts.now`'),
  action: actionName.optional().describe('short for `facts.action`'),
  facts: z.record(z.string(), z.unknown()).optional().describe('changes to the sample facts'),
  defaultApproval: z
    .strictObject({ count: z.int().min(0), groups: z.array(z.string()) })
    .optional()
    .describe("the class's, where no rule says who approves"),
}
export const situationSchema = z.strictObject(situationFields)
type SituationFields = z.infer<typeof situationSchema>

const caseSchema = z.strictObject({
  name: z.string().min(1),
  ...situationFields,
  expect: z.enum(outcomes),
  rules: z.array(z.string()).optional().describe('`<policy>/<rule>`: these fired'),
  reason: z.string().optional().describe('part of the reason'),
  groups: z.array(z.string()).optional().describe('the approver groups of one requirement'),
  count: z.int().optional().describe('its count'),
})

const casesSchema = z.strictObject({
  policies: z.array(z.string()).min(1).optional().describe('default: the file of the same name'),
  ...situationFields,
  cases: z.array(caseSchema).min(1),
})

/** Where a decision would be made, but for the rules. */
export type Situation = Omit<DecideInput, 'rules'>

export interface PolicyCase {
  readonly name: string
  readonly place: Place
  readonly situation: Situation
  readonly expect: Omit<z.infer<typeof caseSchema>, keyof SituationFields | 'name'>
  /** Of the rule ids it expects, in their order. */
  readonly rulePlaces: readonly Place[]
}

export interface CaseFile {
  readonly file: InputFile
  /** Paths of the policies it tests. */
  readonly policies: readonly string[]
  readonly cases: readonly PolicyCase[]
}

/** Reads a file of cases. With a mistake in it, no case of it counts. */
export function readCases(file: InputFile): {
  readonly read?: CaseFile
  readonly mistakes: readonly Mistake[]
} {
  const { documents, mistakes } = readYaml(file)
  const [document, second] = documents
  if (mistakes.length > 0) return { mistakes }
  if (document === undefined || second !== undefined) {
    const place = second?.placeOf([]) ?? { file: file.name, line: 1, column: 1, length: 1 }
    const message = 'a file of cases is one YAML document with `cases:`'
    return { mistakes: [{ severity: 'error', place, message }] }
  }
  const parsed = casesSchema.safeParse(document.value)
  if (!parsed.success) return { mistakes: schemaMistakes(casesSchema, document) }
  const all = parsed.data
  const cases: PolicyCase[] = []
  const wrong: Mistake[] = [...namesTwice(document, all.cases)]
  for (const [
    i,
    { name, now, action, facts: own, defaultApproval, ...expect },
  ] of all.cases.entries()) {
    const fields = { now, action, facts: own, defaultApproval }
    const at = ['cases', i]
    const made = makeSituation(document, [[[], all] as const, [at, fields] as const])
    wrong.push(...made.mistakes)
    const place = document.placeOf([...at, 'name'])
    const rulePlaces = (expect.rules ?? []).map((_, j) => document.placeOf([...at, 'rules', j]))
    if (made.situation) cases.push({ name, place, situation: made.situation, expect, rulePlaces })
  }
  if (wrong.length > 0) return { mistakes: wrong }
  const beside = file.name.replace(/\.test(\.ya?ml)$/, '$1')
  const policies = all.policies?.map((path) => join(dirname(file.name), path)) ?? [beside]
  if (all.policies === undefined && beside === file.name) {
    const message = '`policies` is missing: only `NAME.test.yaml` has its policy beside it'
    return { mistakes: [{ severity: 'error', place: document.placeOf([]), message }] }
  }
  return { read: { file, policies, cases }, mistakes: [] }
}

function namesTwice(document: Written, cases: readonly { readonly name: string }[]): Mistake[] {
  const before = new Set<string>()
  return cases.flatMap(({ name }, i): Mistake[] => {
    if (!before.has(name)) {
      before.add(name)
      return []
    }
    const place = document.placeOf(['cases', i, 'name'])
    return [{ severity: 'error', place, message: `another case is named \`${name}\`` }]
  })
}

/** Layers of changes in one document, the later ones on top, each at its path. */
export function makeSituation(
  document: Written,
  layers: readonly (readonly [Path, SituationFields])[],
): { readonly situation?: Situation; readonly mistakes: readonly Mistake[] } {
  const changes = layers.map(([, fields]) => changesOf(fields))
  const values = withTime(situation(changes))
  const placed = placedBy(document, layers, values)
  const mistakes = schemaMistakes(judgedFacts, placed)
  const read = judgedFacts.safeParse(values)
  if (!read.success || mistakes.length > 0) return { mistakes }
  const approval = layers.findLast(([, fields]) => fields.defaultApproval)?.[1].defaultApproval
  return { situation: situationOf(read.data, approval ?? sampleApproval), mistakes: [] }
}

export function situationOf(
  values: Facts,
  defaultApproval: DecideInput['defaultApproval'],
): Situation {
  const { name, autonomy } = values.class
  return { action: values.action, facts: values, autonomy, defaultApproval, className: name }
}

function changesOf({ now, action, facts: own }: SituationFields): Changes {
  return { ...own, ...(now !== undefined && { now }), ...(action !== undefined && { action }) }
}

/** The merged facts as if they stood in the document: each where the last layer says it. */
function placedBy(
  document: Written,
  layers: readonly (readonly [Path, SituationFields])[],
  value: unknown,
): Written {
  const pathOf = (path: Path): Path => {
    for (const [at, fields] of layers.toReversed()) {
      const [first = ''] = path
      const short = first === 'now' || first === 'action' ? fields[first] : undefined
      if (short !== undefined) return [...at, first]
      if (valueAt(fields.facts, path) !== undefined) return [...at, 'facts', ...path]
    }
    // nobody said it: the nearest that somebody said
    if (path.length > 0) return pathOf(path.slice(0, -1))
    return layers.at(-1)?.[0] ?? []
  }
  return {
    file: document.file,
    value,
    placeOf: (path) => document.placeOf(pathOf(path)),
    placeOfKey: (path) => document.placeOfKey(pathOf(path)),
    placeInText: (path, line, column) => document.placeInText(pathOf(path), line, column),
    traps: (path) => document.traps(pathOf(path)),
  }
}

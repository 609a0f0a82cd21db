import type { CatalogueEntry } from '@jackstay/actions/action'
import type { MadeField } from '@jackstay/actions/made-field'
import { madeJob } from '@jackstay/actions/made-job'
import type { Manifest } from '@jackstay/contract/crd'
import { assertNever } from '@jackstay/contract/errors'
import { madeLabels, retriesStemLength } from '@jackstay/contract/executor'
import { extra, isExecutor, policyWithBinding } from './policies.ts'

const label = (key: string) => `object.metadata.?labels[?'${key}'].orValue('')`
const named = 'object.metadata.name.startsWith'

/** By these marks it is found again, taken back and stopped: whose intent made it, and what it repeats. */
const marked: readonly Manifest[] = [
  {
    expression: `[${label(madeLabels.intent)}] == ${extra('intent')}`,
    message: `what an executor makes is labelled ${madeLabels.intent} with the id of its intent`,
    reason: 'Forbidden',
  },
  {
    // the same as `retriesStem`
    expression: `${label(madeLabels.retries)} != '' && [${label(madeLabels.retries)}.split('-retry-')[0].replace('.', '-')].all(stem, ${named}((size(stem) > ${retriesStemLength} ? stem.substring(0, ${retriesStemLength}) : stem) + '-retry-'))`,
    message: `what an executor makes is labelled ${madeLabels.retries} with the name of what it repeats, and named after that`,
    reason: 'Forbidden',
  },
]

/** Holds executors' new objects to what is harmless, as edits are held to what was there (T36, T37, T39, T40). */
export function executorMadePolicy(catalogue: readonly CatalogueEntry[]): Manifest[] {
  const made = catalogue.flatMap(({ writes }) => writes.filter(({ verb }) => verb === 'create'))
  return policyWithBinding({
    name: 'jackstay-executors-made',
    rule: {
      apiGroups: [...new Set(made.map(({ group: apiGroup }) => apiGroup))],
      apiVersions: ['*'],
      operations: ['CREATE'],
      resources: [...new Set(made.map(({ resource }) => resource))],
    },
    matchConditions: [isExecutor],
    validations: [
      ...marked,
      ...madeRules({ metadata: madeJob.metadata, spec: madeJob.spec }).map(
        ({ at, expression }) => ({
          ...{ expression, reason: 'Forbidden' },
          message: `what a Job that an executor makes has in ${at} is none of what docs/reference/actions.md lists`,
        }),
      ),
    ],
  })
}

interface MadeRule {
  /** The place that it holds, such as `spec.template.spec.containers[].env[]`. */
  readonly at: string
  readonly expression: string
}

/** The same as `unfit`, for admission: a condition in CEL for each place. */
function madeRules(of: Readonly<Record<string, MadeField>>): MadeRule[] {
  return Object.entries(of).flatMap(([key, field]) => {
    return rulesAt(key, `dyn(object).?${key}`, field, (condition) => condition, 0)
  })
}

function rulesAt(
  at: string,
  /** An optional value. */
  value: string,
  field: MadeField,
  /** Says it of each item of the lists that it is in. */
  everywhere: (condition: string) => string,
  depth: number,
): MadeRule[] {
  const rule = (condition: string): MadeRule => ({ at, expression: everywhere(condition) })
  switch (field.holds) {
    case 'anything':
      return []
    case 'oneOf':
      // what is absent and has to be there is none of the values
      return [
        rule(
          `${value}.orValue(${field.must ? 'dyn(null)' : literal(field.values[0])}) in ${list(field.values)}`,
        ),
      ]
    case 'atMost':
      return [rule(`${value}.orValue(0) <= ${field.bound}`)]
    case 'atLeast':
      return [rule(`${value}.orValue(${field.bound}) >= ${field.bound}`)]
    case 'notUnder':
      return [
        rule(
          `${value}.orValue('') != '' && !${list(field.prefixes)}.exists(p, ${value}.orValue('').startsWith(p))`,
        ),
      ]
    case 'fields':
      return [
        rule(`${value}.orValue({}).all(k, k in ${list(Object.keys(field.fields))})`),
        ...Object.entries(field.fields).flatMap(([key, below]) =>
          rulesAt(`${at}.${key}`, `${value}.?${key}`, below, everywhere, depth),
        ),
      ]
    case 'items': {
      const item = `i${depth}`
      const each = (condition: string) =>
        everywhere(`${value}.orValue([]).all(${item}, ${condition})`)
      return [
        ...(field.must ? [rule(`size(${value}.orValue([])) > 0`)] : []),
        ...rulesAt(`${at}[]`, `optional.of(${item})`, field.each, each, depth + 1),
      ]
    }
    default:
      return assertNever(field)
  }
}

const literal = (value: string | boolean) =>
  typeof value === 'string' ? `'${value}'` : String(value)
const list = (values: readonly (string | boolean)[]) => `[${values.map(literal).join(', ')}]`

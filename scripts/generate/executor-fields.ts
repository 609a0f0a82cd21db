import type { CatalogueEntry, PatchRight } from '@jackstay/actions/action'
import { templateGuards } from '@jackstay/actions/template-guard'
import type { Manifest } from '@jackstay/contract/crd'
import { dashed, madeLabels } from '@jackstay/contract/executor'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { fieldTree, heldRules } from './field-paths.ts'
import { actionExtra, extra, isExecutor, policyWithBinding } from './policies.ts'
import { metadataFields, specFields } from './target-fields.ts'

/** Fields of metadata that the server itself moves with every write. */
const moving = ['generation', 'managedFields', 'resourceVersion']

/** Holds executors to the fields of their action (T34–T37, T39, T40, T44). */
export function executorFieldPolicies(catalogue: readonly CatalogueEntry[]): Manifest[] {
  return catalogue.flatMap((entry) =>
    entry.writes
      .filter((write) => write.verb === 'patch')
      .flatMap((write) =>
        policyWithBinding({
          name: `jackstay-executor-fields-${dashed(entry.name)}-${write.resource}`,
          rule: {
            apiGroups: [write.group],
            apiVersions: ['*'],
            operations: ['UPDATE'],
            resources: [write.resource],
          },
          matchConditions: [
            isExecutor,
            { name: 'is-action', expression: `'${entry.name}' in ${actionExtra}` },
          ],
          validations: validations(entry, write),
        }),
      ),
  )
}

function validations({ name }: CatalogueEntry, write: PatchRight): Manifest[] {
  const reason = 'Forbidden'
  const tree = fieldTree(write.mayChange)
  const only = `${name} may change ${listed(write.mayChange)} only`
  return [
    ...unchanged(write).map((path) => ({
      ...{ expression: `object.${path} == oldObject.${path}`, reason },
      message: `${only}, not ${path.replaceAll('?', '')}`,
    })),
    ...(['metadata', 'spec'] as const).flatMap((parent) =>
      heldRules(
        parent,
        tree.fields.get(parent) ?? { free: false, fields: new Map() },
        parent === 'metadata' ? moving : [],
      ).map(({ level, expression }) => ({
        ...{ expression, reason },
        message: `${only}, and no other field of ${level}`,
      })),
    ),
    ...takingBack(name, write),
    ...timesOnly(name, write),
    // a whole template may change: what in it carries credentials or reaches the host may not
    ...(tree.fields.get('spec')?.fields.get('template')?.fields.get('spec')?.fields.has('volumes')
      ? templateGuards().map(({ held, expression }) => ({
          ...{ expression, reason },
          message: `${name} may not change ${held}`,
        }))
      : []),
  ]
}

/** A value that people read as a time is one: an annotation could say anything else to whoever reads it. */
function timesOnly(name: string, { times = [] }: PatchRight): Manifest[] {
  const time =
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$'
  return times.map((key) => ({
    expression: `object.spec.template.?metadata.?annotations[?'${key}'].orValue('0000-00-00T00:00:00Z').matches('${time}')`,
    message: `${name} sets ${key} to a time such as 2026-01-02T03:04:05Z`,
    reason: 'Forbidden',
  }))
}

/** What takes an object back edits no other than one made for the same intent. */
function takingBack(name: string, { takesBack }: PatchRight): Manifest[] {
  if (takesBack === undefined) return []
  const reason = 'Forbidden'
  const label = (key: string) => `oldObject.metadata.?labels[?'${key}'].orValue('')`
  return [
    {
      expression: `${label(governedLabel)} == 'true' && [${label(madeLabels.intent)}] == ${extra('intent')}`,
      message: `${name} edits only what an executor made for the same intent`,
      reason,
    },
    ...Object.entries(takesBack.becomes).map(([field, value]) => ({
      expression: `object.spec.?${field}.orValue(${!value}) == ${value}`,
      message: `${name} sets spec.${field} to ${value} and nothing else`,
      reason,
    })),
  ]
}

/** A refusal is one line: a long list of fields is told by its first ones. */
function listed(paths: readonly string[]): string {
  const shown = paths.slice(0, 3).join(', ')
  return paths.length > 3 ? `${shown} and ${paths.length - 3} more` : shown
}

/** Paths, presence-sensitive by optional fields, that the write must leave as they are. */
function unchanged({ group, resource, mayChange }: PatchRight): string[] {
  const fields = specFields[`${group}/${resource}`]
  if (fields === undefined) {
    throw new TypeError(`scripts/generate/target-fields.ts does not list the fields of ${resource}`)
  }
  const all = [
    ...metadataFields.map((field) => ['metadata', field] as const),
    ...fields.map((field) => ['spec', field] as const),
  ]
  const touched = (path: string) =>
    mayChange.some((p) => p === path || p.startsWith(`${path}.`) || p.startsWith(`${path}[`))
  return all
    .filter((path) => !touched(path.join('.')))
    .map(([parent, field]) => `${parent}.?${field}`)
}

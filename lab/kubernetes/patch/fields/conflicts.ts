import { PatchRefusal } from '../refusal.ts'
import { pathText } from './element.ts'
import { paths } from './field-set.ts'
import type { Manager, Managers } from './owners.ts'
import type { Takings } from './ownership.ts'

/** The refusal of a configuration that would change what others own. */
export function conflictOf(takings: Takings, managers: Managers): PatchRefusal {
  const found = [...takings]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([identity, fields]) => {
      const manager = managers.get(identity)
      const who = manager === undefined ? identity : nameOf(manager)
      return { who, fields: [...paths(fields)].map(pathText) }
    })
  const causes = found.flatMap(({ who, fields }) =>
    fields.map((field) => ({
      ...{ reason: 'FieldManagerConflict', message: `conflict with ${who}` },
      field,
    })),
  )
  const [only] = causes
  const text =
    causes.length === 1 && only !== undefined
      ? `1 conflict: ${only.message}: ${only.field}`
      : `${causes.length} conflicts: ${found.map(paragraph).join('\n')}`
  return new PatchRefusal(409, 'Conflict', `Apply failed with ${text}`, causes)
}

function paragraph({ who, fields }: { who: string; fields: readonly string[] }): string {
  return [`conflicts with ${who}:`, ...fields.map((field) => `- ${field}`)].join('\n')
}

function nameOf({ manager, subresource, operation, apiVersion }: Manager): string {
  const through = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`
  const using = operation === 'Update' ? ` using ${apiVersion}` : ''
  return `${JSON.stringify(manager)}${through}${using}`
}

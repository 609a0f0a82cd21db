import type { CelFunc } from '@bufbuild/cel'
import { createRegistry, type Registry } from '@bufbuild/protobuf'
import { Steps } from '../steps.ts'
import { addresses, addressTypes } from './addresses.ts'
import { times } from './calendar.ts'
import type { Family, RuleFunction } from './family.ts'
import { lists } from './lists.ts'
import { Patterns } from './patterns.ts'
import { quantities, quantityType } from './quantities.ts'
import { texts } from './text.ts'
import { values } from './values.ts'
import { versions, versionTypes } from './versions.ts'
import { Zones } from './zones.ts'

/** What functions share within one set of rules. */
export interface Tools {
  readonly steps: Steps
  readonly patterns: Patterns
  readonly zones: Zones
}

function families({ steps, patterns, zones }: Tools): readonly Family[] {
  return [
    values(steps, patterns),
    texts(steps),
    lists(steps),
    times(zones),
    quantities(),
    addresses(),
    versions(),
  ]
}

/** Every function a rule may use, for the field checker and the reference. */
export const ruleFunctions: readonly {
  readonly title: string
  readonly functions: readonly RuleFunction[]
}[] = families({ steps: new Steps(), patterns: new Patterns(), zones: new Zones() })

/** Macros: they walk through lists and maps, and are gone after parsing. */
export const macros: readonly RuleFunction[] = [
  ['has', 'has(a.b)', 'Whether the field is there.'],
  ['all', 'list.all(x, condition)', 'Whether it holds for every item, or key of a map.'],
  ['exists', 'list.exists(x, condition)', 'Whether it holds for an item.'],
  ['exists_one', 'list.exists_one(x, condition)', 'Whether it holds for exactly one item.'],
  ['filter', 'list.filter(x, condition)', 'The items for which it holds.'],
  ['map', 'list.map(x, value)', 'A value for every item.'],
].map(([name = '', signature = '', summary = '']) => ({ name, signatures: [signature], summary }))

/** What they do, for one environment. */
export function implementations(tools: Tools): CelFunc[] {
  return families(tools).flatMap((family) => family.implementations)
}

/** The types of values that only functions make. */
export function valueTypes(): Registry {
  return createRegistry(quantityType.desc, ...addressTypes, ...versionTypes)
}

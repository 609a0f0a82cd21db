import { isRecord } from '@jackstay/kube/resources'
import { parse } from 'yaml'
import { z } from 'zod'
import type { KubeObject } from '../objects.ts'
import { type Behaviour, type Behaviours, wellBehaved } from './behaviour.ts'
import { quantity } from './resources.ts'

/** ConfigMaps here say how images behave. No agent has business there. */
export const labNamespace = 'jackstay-lab'

const amount = z.union([z.number(), z.string()]).transform(quantity)
const whole = z.int().min(0)

const declared = z.strictObject({
  startMs: whole.default(wellBehaved.startMs),
  /** `never` for what never becomes ready. */
  readyMs: z.union([whole, z.literal('never')]).default(wellBehaved.readyMs ?? 0),
  memory: amount.default(wellBehaved.memory),
  exit: z.strictObject({ code: whole.max(255), afterMs: whole.default(1000) }).optional(),
  serves: z
    .array(z.strictObject({ port: whole.min(1).max(65_535), path: z.string().optional() }))
    .optional(),
  load: amount.optional(),
  says: z.array(z.string()).optional(),
})

const table = z.record(z.string(), declared.nullable())

/** What an entry of a table says. @throws where it is not one of a `Behaviour`'s */
export function behaviourOf(entry: z.input<typeof declared> | null): Behaviour {
  const { readyMs, exit, serves, load, says, ...rest } = declared.parse(entry ?? {})
  return {
    ...rest,
    readyMs: readyMs === 'never' ? undefined : readyMs,
    ...(exit && { exit }),
    ...(serves && { serves }),
    ...(load !== undefined && { load }),
    ...(says && { says }),
  }
}

interface Source {
  values(): Iterable<KubeObject>
}

/**
 * How images behave by the ConfigMaps of `jackstay-lab`. A repository of which any tag is declared has no
 * others; images of all other repositories are there, and well-behaved.
 */
export function declaredBehaviours(
  configMaps: Iterable<KubeObject>,
  onError: (error: unknown) => void,
): Behaviours {
  const known = new Map<string, Behaviour>()
  for (const map of configMaps) {
    if (!isTable(map) || !isRecord(map.data)) continue
    for (const [key, text] of Object.entries(map.data)) {
      try {
        const entries = Object.entries(table.parse(parse(String(text)) ?? {}))
        for (const [image, entry] of entries) known.set(image, behaviourOf(entry))
      } catch (cause) {
        const where = `\`${key}\` of ConfigMap \`${labNamespace}/${map.metadata.name ?? ''}\``
        onError(new Error(`${where} is no table of images`, { cause }))
      }
    }
  }
  const repositories = new Set([...known.keys()].map(repositoryOf))
  return (image) =>
    known.get(image) ?? (repositories.has(repositoryOf(image)) ? undefined : wellBehaved)
}

/** The same by a cache of ConfigMaps, read anew where one changed; or what is given instead. */
export function behavioursOf(given: Behaviours | undefined, onError: (error: unknown) => void) {
  let known: { readonly maps: readonly KubeObject[]; readonly behaviours: Behaviours } | undefined
  return ({ configMaps }: { readonly configMaps: Source }): Behaviours => {
    if (given !== undefined) return given
    const maps = [...configMaps.values()].filter(isTable)
    const isSame =
      known?.maps.length === maps.length && maps.every((map, i) => map === known?.maps[i])
    if (known === undefined || !isSame) {
      known = { maps, behaviours: declaredBehaviours(maps, onError) }
    }
    return known.behaviours
  }
}

function isTable({ metadata }: KubeObject): boolean {
  return metadata.namespace === labNamespace
}

/** Without tag or digest. */
function repositoryOf(image: string): string {
  return image.replace(/@.*$/, '').replace(/:[^/:]+$/, '')
}

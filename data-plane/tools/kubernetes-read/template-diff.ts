import { canonical, isList, isMap, type Json } from '@jackstay/contract/json'
import type { TemplateChange } from '@jackstay/contract/reads'
import type { KubeObject } from '@jackstay/kube/resources'
import { namesOnly, type Stripper, withheldText } from './strip.ts'

/** Labels that only repeat which revision it is. */
const ofRevision = new Set(['pod-template-hash', 'controller-revision-hash'])
const maxChanges = 40
const maxText = 512

/**
 * What changed from one Pod template to the next. That a variable changed is told, its values never
 * (T38): values are compared as they are and shown as any other read shows them.
 */
export function templateDiff(from: Json, to: Json, stripper: Stripper): TemplateChange[] {
  const [a, b] = [flat(from), flat(to)]
  const [shownA, shownB] = [flat(strip(from, stripper)), flat(strip(to, stripper))]
  const paths = [...new Set([...a.keys(), ...b.keys()])].filter(
    (path) => a.get(path) !== b.get(path),
  )
  const text = (path: string, raw: Leaves, shown: Leaves) => {
    if (!raw.has(path)) return undefined
    const secret = [...namesOnly].some((key) => path.includes(`${key}[`))
    return secret ? withheldText : stripper.text(shown.get(path) ?? withheldText, maxText)
  }
  return paths.slice(0, maxChanges).map((path) => {
    const [before, after] = [text(path, a, shownA), text(path, b, shownB)]
    return {
      path: stripper.text(path, maxText),
      ...(before !== undefined && { from: before }),
      ...(after !== undefined && { to: after }),
    }
  })
}

/** Images of a template, containers before init containers. */
export function imagesOf(template: Json): { container: string; image: string }[] {
  const spec = isMap(template) ? template.spec : undefined
  if (!isMap(spec)) return []
  return [spec.containers, spec.initContainers].flatMap((list) =>
    isList(list)
      ? list.flatMap((one) =>
          isMap(one) && typeof one.name === 'string' && typeof one.image === 'string'
            ? [{ container: one.name, image: one.image }]
            : [],
        )
      : [],
  )
}

type Leaves = ReadonlyMap<string, string>

function strip(template: Json, stripper: Stripper): Json {
  const object: KubeObject = { metadata: {}, template }
  const stripped = stripper.object(object)
  return stripped.template ?? null
}

/** Every leaf of a template by its path. */
function flat(template: Json): Leaves {
  const leaves = new Map<string, string>()
  if (!isMap(template)) return leaves
  if (template.metadata !== undefined) add(leaves, 'metadata', template.metadata)
  if (isMap(template.spec)) {
    for (const [key, value] of Object.entries(template.spec)) add(leaves, key, value)
  }
  return leaves
}

function add(leaves: Map<string, string>, path: string, value: Json): void {
  const key = path.slice(path.lastIndexOf('.') + 1)
  if (isList(value) && value.length > 0) {
    const names = value.map(nameOf)
    const named = names.every((name) => name !== undefined) && new Set(names).size === names.length
    for (const [i, item] of value.entries()) {
      const at = `${path}[${named ? names[i] : i}]`
      // one leaf each, or the values of a variable would stand under a path of their own
      if (namesOnly.has(key)) leaves.set(at, canonical(item))
      else add(leaves, at, item)
    }
  } else if (isMap(value) && Object.keys(value).length > 0) {
    for (const [field, item] of Object.entries(value)) {
      if (key === 'labels' && ofRevision.has(field)) continue
      if (field === 'creationTimestamp' && item === null) continue
      add(leaves, `${path}.${field}`, item)
    }
  } else {
    leaves.set(path, typeof value === 'string' ? value : canonical(value))
  }
}

/** What tells the items of a list apart: name, else where it is mounted, else its port. */
function nameOf(item: Json): string | undefined {
  if (!isMap(item)) return undefined
  const { name, mountPath, containerPort } = item
  if (typeof mountPath === 'string') return mountPath
  if (typeof name === 'string') return name
  return typeof containerPort === 'number' ? `${containerPort}` : undefined
}

/**
 * Fields that an action may change, as a tree. `spec.template.spec.containers[*].image`: `[*]` stands
 * for the items of a list by their `name`, none added, taken away or moved; `[+]` for items that may
 * come and go. `annotations[example.org/key]` is one key of a map.
 */
export interface FieldTree {
  /** Below this everything may change. */
  readonly free: boolean
  readonly fields: ReadonlyMap<string, FieldTree>
  readonly items?: { readonly tree: FieldTree; readonly may: 'stay' | 'come-and-go' }
}

type Step = { readonly field: string } | { readonly items: '*' | '+' }

export function fieldTree(paths: readonly string[]): FieldTree {
  return treeOf(paths.map(steps))
}

function steps(path: string): Step[] {
  const found = [...path.matchAll(/\.?([A-Za-z0-9]+)|\[([^\]]+)\]/g)]
  if (found.map(([whole]) => whole).join('') !== path) {
    throw new TypeError(`\`${path}\` is no path of fields`)
  }
  return found.map(([, field, bracket = '']): Step => {
    if (field !== undefined) return { field }
    return bracket === '*' || bracket === '+' ? { items: bracket } : { field: bracket }
  })
}

function treeOf(paths: readonly (readonly Step[])[]): FieldTree {
  if (paths.some((path) => path.length === 0)) return { free: true, fields: new Map() }
  const names = new Set(paths.flatMap(([step]) => (step && 'field' in step ? [step.field] : [])))
  const below = (wanted: (step: Step) => boolean) =>
    treeOf(paths.filter(([step]) => step && wanted(step)).map((path) => path.slice(1)))
  const fields = new Map(
    [...names].map((name) => [name, below((s) => 'field' in s && s.field === name)] as const),
  )
  const kind = paths.flatMap(([step]) => (step && 'items' in step ? [step.items] : []))[0]
  if (kind === undefined) return { free: false, fields }
  const tree = below((s) => 'items' in s)
  return { free: false, fields, items: { tree, may: kind === '*' ? 'stay' : 'come-and-go' } }
}

/** A condition in CEL that nothing but the tree's fields changed. */
export interface HeldRule {
  /** Path of the level that it holds, such as `spec.template`. */
  readonly level: string
  readonly expression: string
}

const list = (names: readonly string[]) => `[${names.map((name) => `'${name}'`).join(', ')}]`
const isIdentifier = (name: string) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
const chained = (at: string, name: string) =>
  isIdentifier(name) ? `${at}.?${name}` : `${at}[?'${name}']`

/**
 * The same for every field, known here or not: a newer Kubernetes may have more. One rule per level
 * of the tree, presence-sensitive. `free` are names besides that may change at the first level.
 */
export function heldRules(root: string, tree: FieldTree, free: readonly string[]): HeldRule[] {
  return levels(root, `dyn(object).?${root}`, `dyn(oldObject).?${root}`, tree, free)
}

function levels(
  level: string,
  now: string,
  old: string,
  tree: FieldTree,
  free: readonly string[] = [],
): HeldRule[] {
  if (tree.free) return []
  if (tree.items !== undefined) {
    const lists = [`${now}.orValue([])`, `${old}.orValue([])`] as const
    return [{ level: `${level}[]`, expression: itemsHeld(...lists, tree.items) }]
  }
  const maps = [`${now}.orValue({})`, `${old}.orValue({})`] as const
  return [
    { level, expression: othersHeld(...maps, [...tree.fields.keys(), ...free], 'k') },
    ...[...tree.fields].flatMap(([name, below]) =>
      levels(`${level}.${name}`, chained(now, name), chained(old, name), below),
    ),
  ]
}

function othersHeld(now: string, old: string, names: readonly string[], k: string): string {
  const known = list(names)
  return [
    `${now}.all(${k}, ${k} in ${known} || (${k} in ${old} && ${now}[${k}] == ${old}[${k}]))`,
    `${old}.all(${k}, ${k} in ${known} || ${k} in ${now})`,
  ].join(' && ')
}

function itemsHeld(now: string, old: string, { tree, may }: NonNullable<FieldTree['items']>) {
  if ([...tree.fields.values()].some((below) => !below.free)) {
    throw new TypeError('below the items of a list only whole fields can be held apart')
  }
  const names = [...tree.fields.keys()]
  const kept = `${old}.exists(o, o.name == c.name && ${othersHeld('c', 'o', names, 'k')})`
  if (may === 'stay') {
    return `${now}.map(c, c.name) == ${old}.map(o, o.name) && ${now}.all(c, ${kept})`
  }
  const fresh = `!${old}.exists(o, o.name == c.name) && c.all(k, k in ${list(['name', ...names])})`
  return `${now}.all(c, ${kept} || (${fresh}))`
}

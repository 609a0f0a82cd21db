/** A place that needs so many people, and who could take it. */
export interface Places {
  readonly need: number
  readonly people: readonly string[]
}

/**
 * How many people each of several requirements gets where everybody serves one alone, and as many
 * places as possible are taken: bipartite matching by augmenting paths (Kuhn). The total does not
 * depend on any order. Beyond 10 a requirement is not filled: none may ask for more.
 */
export function mostServed(requirements: readonly Places[]): readonly number[] {
  const slots = requirements.flatMap(({ need }, of) =>
    Array.from({ length: Math.min(10, Math.max(0, Math.floor(need) || 0)) }, () => of),
  )
  /** By person: the slot that they take. */
  const taken = new Map<string, number>()
  const place = (slot: number, tried: Set<string>): boolean => {
    for (const person of requirements[slots[slot] ?? -1]?.people ?? []) {
      if (tried.has(person)) continue
      tried.add(person)
      const rival = taken.get(person)
      if (rival !== undefined && !place(rival, tried)) continue
      taken.set(person, slot)
      return true
    }
    return false
  }
  for (const slot of slots.keys()) place(slot, new Set())
  const served = requirements.map(() => 0)
  for (const slot of taken.values()) {
    const of = slots[slot] ?? -1
    served[of] = (served[of] ?? 0) + 1
  }
  return served
}

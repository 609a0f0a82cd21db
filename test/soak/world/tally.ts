/** What has happened so far, by name. */
export class Tally {
  readonly #counts = new Map<string, number>()

  add(name: string, more = 1): void {
    this.#counts.set(name, this.of(name) + more)
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts].toSorted(([a], [b]) => a.localeCompare(b))
  }
}

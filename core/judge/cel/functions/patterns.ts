import { RE2JS } from '@bufbuild/re2'

/** The regular expressions of one set of rules, each compiled once, when it is loaded. */
export class Patterns {
  readonly #compiled = new Map<string, RE2JS>()

  /** @throws where it is not RE2 syntax */
  add(text: string): void {
    if (!this.#compiled.has(text)) this.#compiled.set(text, RE2JS.compile(text))
  }

  /** @throws TypeError for a pattern that was not added */
  test(pattern: string, text: string): boolean {
    const compiled = this.#compiled.get(pattern)
    if (compiled === undefined) throw new TypeError('a regular expression must be a literal')
    return compiled.test(text)
  }
}

/** Steps of one evaluation: a round of a comprehension is one, a longer piece of work several. */
const maxSteps = 10_000
/** Characters or bytes of what a rule may put together; as much as a whole request has. */
export const maxText = 65_536
/** Items of a list that a rule may put together. */
export const maxItems = 10_000

/** What one evaluation may still spend. The same budget for whatever a rule does. */
export class Steps {
  #left = maxSteps

  /** Before every evaluation. */
  renew(): void {
    this.#left = maxSteps
  }

  /** @throws RangeError when the evaluation has had its share */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new RangeError(`takes more than ${maxSteps} steps`)
  }

  /** For work that grows with a text: a step per 64 characters. */
  read(text: string): void {
    this.spend(text.length >>> 6)
  }
}

/** @throws RangeError for a text longer than a rule may make */
export function boundedText(size: number): void {
  if (size > maxText) throw new RangeError(`makes a text of more than ${maxText} characters`)
}

/** @throws RangeError for a list longer than a rule may make */
export function boundedItems(size: number): void {
  if (size > maxItems) throw new RangeError(`makes a list of more than ${maxItems} items`)
}

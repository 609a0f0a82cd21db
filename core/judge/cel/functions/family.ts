import type { CelFunc } from '@bufbuild/cel'

/** One function as the reference shows it. */
export interface RuleFunction {
  /** As a rule writes it, such as `isQuantity`, `sets.contains` or, of a value, `compareTo`. */
  readonly name: string
  /** Such as `quantity(string) → Quantity` and `Quantity.sign() → int`. */
  readonly signatures: readonly string[]
  /** One sentence. */
  readonly summary: string
}

/** Functions that belong together: what the reference says of them, and what they do. */
export interface Family {
  readonly title: string
  readonly functions: readonly RuleFunction[]
  /** Replace the library's own of the same name and arguments. */
  readonly implementations: readonly CelFunc[]
}

export function described(
  name: string,
  signatures: readonly string[],
  summary: string,
): RuleFunction {
  return { name, signatures, summary }
}

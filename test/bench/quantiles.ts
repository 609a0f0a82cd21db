import { rounded } from './table.ts'

/** The value below which this share of all lies, 0 to 1 (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** Median, 99th percentile and the ratio of medians, as cells of a table. */
export function waited(values: readonly number[], beside: readonly number[]): string[] {
  const [p50, p99] = [quantile(values, 0.5), quantile(values, 0.99)]
  return [milliseconds(p50), milliseconds(p99), rounded(p50 / quantile(beside, 0.5))]
}

/** Below ten with a digit more. */
export function milliseconds(value: number): string {
  return rounded(value, value < 10 ? 1 : 0)
}

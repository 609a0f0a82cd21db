import { badTag } from './faults/bad-tag.ts'
import { scaledToZero } from './faults/scaled-to-zero.ts'
import type { Incident } from './incident.ts'

/** Everything that can be broken in the lab's world. */
export const incidents: readonly Incident[] = [scaledToZero, badTag]

export function incidentNamed(name: string): Incident | undefined {
  return incidents.find((one) => one.name === name)
}

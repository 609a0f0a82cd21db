import { isRecord } from '@jackstay/kube/resources'

/** A field of what both say, by its path. */
export function at(shown: unknown, path: string): unknown {
  return path.split('.').reduce((value, key) => (isRecord(value) ? value[key] : undefined), shown)
}

/** Such a field is this. */
export const says =
  (path: string, wanted: unknown) =>
  (shown: unknown): boolean =>
    at(shown, path) === wanted

/** Both saying nothing is no agreement. */
export function some(shown: unknown): boolean {
  return Array.isArray(shown) && shown.length > 0
}

/** A condition of this type has this reason. */
export function condition(type: string, reason: string) {
  return (shown: unknown): boolean => {
    const all = at(shown, 'status.conditions')
    return (
      Array.isArray(all) &&
      all.some((one) => isRecord(one) && one.type === type && one.reason === reason)
    )
  }
}

/** What of an object a refusal names, and why. */
export function fields(body: unknown): unknown {
  const causes = at(body, 'details.causes')
  return Array.isArray(causes)
    ? causes.map((one) => ({ field: one.field, reason: one.reason }))
    : []
}

import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'

interface Condition {
  readonly type: 'NamesAccepted' | 'Established'
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
}

/** The status of a definition beside the others that are there: whether its names are free, and it is served. */
export function definitionStatus(
  crd: KubeObject,
  others: readonly KubeObject[],
  now: string,
): Readonly<Record<string, unknown>> {
  const names = namesOf(crd)
  const taken = conflict(crd, others)
  const spec = isRecord(crd.spec) ? crd.spec : {}
  const versions: readonly unknown[] = Array.isArray(spec.versions) ? spec.versions : []
  const stored = versions.filter(isRecord).filter(({ storage }) => storage === true)
  return {
    conditions: conditionsOf(taken, now),
    acceptedNames: taken === undefined ? names : { plural: '', kind: '' },
    storedVersions: stored.map(({ name }) => name),
  }
}

function conditionsOf(taken: string | undefined, now: string): readonly Condition[] {
  const lastTransitionTime = now
  if (taken === undefined) {
    return [
      {
        type: 'NamesAccepted',
        status: 'True',
        lastTransitionTime,
        reason: 'NoConflicts',
        message: 'no conflicts found',
      },
      {
        type: 'Established',
        status: 'True',
        lastTransitionTime,
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
      },
    ]
  }
  return [
    {
      type: 'NamesAccepted',
      status: 'False',
      lastTransitionTime,
      reason: 'PluralConflict',
      message: `"${taken}" is already in use`,
    },
    {
      type: 'Established',
      status: 'False',
      lastTransitionTime,
      reason: 'NotAccepted',
      message: 'not all names are accepted',
    },
  ]
}

function namesOf({ spec }: KubeObject): Readonly<Record<string, unknown>> {
  return isRecord(spec) && isRecord(spec.names) ? spec.names : {}
}

/** A name that another definition of the same group has. */
function conflict(crd: KubeObject, others: readonly KubeObject[]): string | undefined {
  const group = (one: KubeObject) => (isRecord(one.spec) ? one.spec.group : undefined)
  const known = others
    .filter((one) => one.metadata.name !== crd.metadata.name && group(one) === group(crd))
    .flatMap((one) => all(namesOf(one)))
  return all(namesOf(crd)).find((name) => known.includes(name))
}

function all({ plural, singular, kind, shortNames }: Readonly<Record<string, unknown>>): string[] {
  return [plural, singular, kind, ...(Array.isArray(shortNames) ? shortNames : [])].flatMap(
    (name) => (typeof name === 'string' ? name : []),
  )
}

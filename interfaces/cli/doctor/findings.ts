import type { ResourceType } from '@jackstay/kube/resources'

/** What `doctor` says of one thing. */
export interface Finding {
  /** `wrong`: to be mended; `unseen`: you may not look; `note`: for you to know, and nothing is wrong. */
  readonly severity: 'wrong' | 'unseen' | 'note'
  readonly what: string
  /** What to do about it, or to type. */
  readonly next: string
}

export function wrong(what: string, next: string): Finding {
  return { severity: 'wrong', what, next }
}

export function note(what: string, next: string): Finding {
  return { severity: 'note', what, next }
}

/** A right that is missing, named as `kubectl auth can-i` names it. */
export function unseen(
  verb: 'get' | 'list',
  { apiVersion, resource, namespace }: ResourceType & { readonly namespace?: string },
): Finding {
  const [group] = apiVersion.includes('/') ? apiVersion.split('/') : []
  const name = group === undefined ? resource : `${resource}.${group}`
  const where = namespace === undefined ? '' : ` -n ${namespace}`
  return {
    severity: 'unseen',
    what: `you may not ${verb} ${name}${where}`,
    next: 'ask for these rights: the ClusterRole jackstay-auditor holds them, and writes nothing',
  }
}

/** A line for each right that is missing, not for each object that it hides. */
export function byRight(findings: readonly Finding[]): Finding[] {
  const hidden = Map.groupBy(
    findings.filter(({ severity }) => severity === 'unseen'),
    ({ what }) => what,
  )
  const counted = [...hidden.values()].flatMap(([first, ...more]) => {
    if (first === undefined || more.length === 0) return first ?? []
    return { ...first, what: `${first.what}: ${more.length + 1} objects of the chart` }
  })
  return [...findings.filter(({ severity }) => severity !== 'unseen'), ...counted]
}

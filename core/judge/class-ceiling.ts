import { type Digest, digestOf } from '@jackstay/contract/json'
import type { AgentClassSpec } from '@jackstay/contract/kinds/agent-class'

export interface Request {
  readonly action: string
  /** Undefined for what belongs to no namespace: only a grant for `*` reaches it. */
  readonly namespace: string | undefined
  readonly name: string
}

/** Why the class may not ask for this at all, or undefined where it may. Rules come on top. */
export function withinClass(spec: AgentClassSpec, request: Request): string | undefined {
  const { action, namespace, name } = request
  const grants = spec.actions.filter((a) => a.name === action)
  if (grants.length === 0) return `the class does not allow the action \`${action}\``
  const here = grants.filter((a) => covers(a.targets.namespaces, namespace ?? '*'))
  const where =
    namespace === undefined
      ? 'beyond namespaces, which takes `*`'
      : `in the namespace \`${namespace}\``
  if (here.length === 0) return `the class does not allow \`${action}\` ${where}`
  if (here.some((a) => covers(a.targets.names, name))) return undefined
  return `the class does not allow \`${action}\` on \`${name}\` ${where}`
}

function covers(allowed: readonly string[], value: string): boolean {
  return allowed.includes('*') || allowed.includes(value)
}

/** Whether an alert reaches the agents of the class: all labels of one entry must match. */
export function matchesTriggers(
  spec: Pick<AgentClassSpec, 'triggers'>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return spec.triggers.some((entry) =>
    Object.entries(entry.labels).every(
      ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
    ),
  )
}

/** What people name when they grant a class: any edit of its spec gives another hash. */
export function classHash(spec: AgentClassSpec): Digest {
  return digestOf(spec)
}

import type { SuspendedTarget, SuspensionSpec } from '@jackstay/contract/kinds/suspension'
import { suspensionSpec } from '@jackstay/contract/kinds/suspension'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { describeObject } from '@jackstay/contract/plan'
import { dnsLabel } from '@jackstay/contract/text'
import { usageError } from '../failure.ts'

/** What is stopped: everything or a namespace by a label, the rest by a Suspension. */
export type Scope =
  | { readonly by: 'label'; readonly namespace: string }
  | { readonly by: 'kind'; readonly subject: SuspensionSubject }

/** Exactly one of these. */
export type SuspensionSubject = Pick<SuspensionSpec, 'class' | 'agent' | 'action' | 'target'>

export interface ScopeFlags {
  readonly all?: boolean | undefined
  readonly namespace?: string | undefined
  readonly class?: string | undefined
  readonly agent?: string | undefined
  readonly action?: string | undefined
  readonly target?: string | undefined
}

/** @throws CommandFailed unless exactly one scope is named, in its form */
export function scopeOf({ all, namespace, ...subjects }: ScopeFlags): Scope {
  const given = [all || undefined, namespace, ...Object.values(subjects)]
  if (given.filter((value) => value !== undefined).length !== 1) {
    throw usageError(
      'name one scope: pass one of --all, --namespace, --class, --agent, --action, --target, like `--target shop/Deployment/api`',
    )
  }
  if (all) return { by: 'label', namespace: systemNamespace }
  if (namespace !== undefined) return { by: 'label', namespace: checkedNamespace(namespace) }
  const { target, ...names } = subjects
  const subject = { ...names, ...(target !== undefined && { target: parseTarget(target) }) }
  const checked = suspensionSpec.safeParse({ ...subject, reason: 'checked' })
  if (checked.success) return { by: 'kind', subject: subjectOf(checked.data) }
  const [issue] = checked.error.issues
  throw usageError(`--${String(issue?.path[0])}: ${issue?.message ?? 'is wrong'}`)
}

function checkedNamespace(name: string): string {
  if (dnsLabel.safeParse(name).success) return name
  throw usageError(`\`${name}\` is no name of a namespace`)
}

/** Without what says how and why. */
export function subjectOf(spec: SuspensionSpec): SuspensionSubject {
  if (spec.target !== undefined) return { target: spec.target }
  if (spec.class !== undefined) return { class: spec.class }
  return spec.agent !== undefined ? { agent: spec.agent } : { action: spec.action }
}

/** Kinds that the catalogue writes, as people type them. */
const kindNames: Readonly<Record<string, string>> = {
  ...{ deployment: 'Deployment', deploy: 'Deployment', statefulset: 'StatefulSet' },
  ...{ sts: 'StatefulSet', daemonset: 'DaemonSet', ds: 'DaemonSet', pod: 'Pod', node: 'Node' },
  ...{ horizontalpodautoscaler: 'HorizontalPodAutoscaler', hpa: 'HorizontalPodAutoscaler' },
  ...{ cronjob: 'CronJob', cj: 'CronJob', job: 'Job' },
}

/** `shop/Deployment/api`, or `Node/worker-1` for what is in no namespace. */
function parseTarget(text: string): SuspendedTarget {
  const parts = text.split('/')
  const [first = '', second = '', third] = parts
  if (parts.length < 2 || parts.length > 3) {
    throw usageError(`\`${text}\` is no target: write NAMESPACE/KIND/NAME, or KIND/NAME`)
  }
  const [kind, name] = third === undefined ? [first, second] : [second, third]
  const known = Object.hasOwn(kindNames, kind.toLowerCase()) ? kindNames[kind.toLowerCase()] : kind
  return { ...(third !== undefined && { namespace: first }), kind: known ?? kind, name }
}

/** For people: `the class scalers`. */
export function describeScope(scope: Scope): string {
  if (scope.by === 'label') {
    const all = scope.namespace === systemNamespace
    return all ? 'everything' : `the namespace ${scope.namespace}`
  }
  const { target, ...names } = scope.subject
  if (target !== undefined) return `the target ${describeObject(target)}`
  const [[what = '', name = ''] = []] = Object.entries(names)
  return `the ${what} ${name}`
}

/** The flag that names it on a command line. */
export function flagOf(scope: Scope): string {
  if (scope.by === 'label') {
    return scope.namespace === systemNamespace ? '--all' : `--namespace ${scope.namespace}`
  }
  const { target, ...names } = scope.subject
  if (target !== undefined) {
    const { namespace, kind, name } = target
    return `--target ${[...(namespace === undefined ? [] : [namespace]), kind, name].join('/')}`
  }
  const [[what = '', name = ''] = []] = Object.entries(names)
  return `--${what} ${name}`
}

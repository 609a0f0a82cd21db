import {
  type SuspendedTarget,
  type SuspensionSpec,
  suspendedLabel,
} from '@jackstay/contract/kinds/suspension'
import { describeObject } from '@jackstay/contract/plan'

type Labels = Readonly<Record<string, string>>

export interface SuspensionQuestion {
  /** Labels of the namespace `jackstay-system`. */
  readonly systemLabels: Labels
  /** Labels of the target's namespace. */
  readonly namespaceLabels: Labels
  readonly suspensions: readonly SuspensionSpec[]
  readonly class: string
  /** `<namespace>/<ServiceAccount>` */
  readonly agent: string
  readonly action: string
  readonly target: SuspendedTarget
  /** Whether the write takes back an earlier one. */
  readonly undo: boolean
}

/**
 * What stops a write now, in the order in which admission asks; undefined where nothing does. The
 * label counts by its presence, whatever its value, and stops undos too.
 */
export function suspendedBy(question: SuspensionQuestion): { readonly why: string } | undefined {
  if (Object.hasOwn(question.systemLabels, suspendedLabel)) {
    return { why: `everything is suspended: jackstay-system carries the label ${suspendedLabel}` }
  }
  if (Object.hasOwn(question.namespaceLabels, suspendedLabel)) {
    const { namespace } = question.target
    return { why: `the namespace \`${namespace}\` carries the label ${suspendedLabel}` }
  }
  const stop = question.suspensions
    .filter((s) => !(question.undo && s.undo === 'allow'))
    .map((s) => named(s, question))
    .filter((why) => why !== undefined)
    .sort()[0]
  return stop === undefined ? undefined : { why: stop }
}

function named(suspension: SuspensionSpec, question: SuspensionQuestion): string | undefined {
  for (const subject of ['class', 'agent', 'action'] as const) {
    if (suspension[subject] !== undefined && suspension[subject] === question[subject]) {
      return `the ${subject} \`${question[subject]}\` is suspended: ${suspension.reason}`
    }
  }
  const { target } = suspension
  if (target !== undefined && describeObject(target) === describeObject(question.target)) {
    return `the target \`${describeObject(target)}\` is suspended: ${suspension.reason}`
  }
  return undefined
}

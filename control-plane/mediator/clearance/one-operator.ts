import type { ApprovalRequirement } from '@jackstay/contract/decision'

/** What the mode gives up, for whoever starts the program or reads its status. */
export const oneOperatorWarning =
  'one-operator mode: every requirement counts one approval, one person may serve all of them, and who breaks the glass may approve it alone; no four eyes are demanded anywhere'

/** Requirements as they count, and in words what was given up of them. */
export interface Counted {
  readonly requirements: ApprovalRequirement[]
  /** Empty where nothing was. */
  readonly waived: string[]
}

/**
 * For a team with one person on call: each requirement counts one approval, and nobody has to keep
 * out of a second one. Never anything but what an explicit setting of the mediator asks for; every
 * requirement still stands, from its own groups, for this digest, in its time.
 */
export function asOneOperator(requirements: readonly ApprovalRequirement[], on: boolean): Counted {
  if (!on) return { requirements: [...requirements], waived: [] }
  const waived = requirements.flatMap(({ from, count, separate }) => [
    ...(count > 1
      ? [`one-operator mode: \`${from}\` asks for ${count} approvals, one counts`]
      : []),
    ...(separate
      ? [`one-operator mode: \`${from}\` asks for separate people, one may serve all`]
      : []),
  ])
  // one that asks for nobody is a mistake and stays one: it is never met
  const lowered = requirements.map(({ separate: _, count, ...rest }) => ({
    ...rest,
    count: Math.min(count, 1),
  }))
  return { requirements: lowered, waived }
}

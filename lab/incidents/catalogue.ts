import { alreadyRecovered } from './controls/already-recovered.ts'
import { causeOutside } from './controls/cause-outside.ts'
import { healthy } from './controls/healthy.ts'
import { outsideAuthority } from './controls/outside-authority.ts'
import { staleAlert } from './controls/stale-alert.ts'
import { twoFaults } from './controls/two-faults.ts'
import { autoscalerSaturated } from './faults/autoscaler-saturated.ts'
import { badReadinessProbe } from './faults/bad-readiness-probe.ts'
import { badTag } from './faults/bad-tag.ts'
import { cordonedNode } from './faults/cordoned-node.ts'
import { crashLoopingRevision } from './faults/crash-looping-revision.ts'
import { missingConfigKey } from './faults/missing-config-key.ts'
import { oomAfterLimitChange } from './faults/oom-after-limit-change.ts'
import { quotaExhausted } from './faults/quota-exhausted.ts'
import { rolloutStuck } from './faults/rollout-stuck.ts'
import { scaledToZero } from './faults/scaled-to-zero.ts'
import { serviceSelectorMismatch } from './faults/service-selector-mismatch.ts'
import { unschedulableByResources } from './faults/unschedulable.ts'
import type { Incident } from './incident.ts'

/** Everything that can be broken in the lab's world, and what only looks as if it were. */
export const incidents: readonly Incident[] = [
  crashLoopingRevision,
  badTag,
  scaledToZero,
  oomAfterLimitChange,
  badReadinessProbe,
  missingConfigKey,
  unschedulableByResources,
  cordonedNode,
  quotaExhausted,
  serviceSelectorMismatch,
  autoscalerSaturated,
  rolloutStuck,
  healthy,
  alreadyRecovered,
  staleAlert,
  causeOutside,
  twoFaults,
  outsideAuthority,
]

export function incidentNamed(name: string): Incident | undefined {
  return incidents.find((one) => one.name === name)
}

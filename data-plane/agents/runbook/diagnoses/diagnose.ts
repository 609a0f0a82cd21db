import { visible } from '@jackstay/contract/text'
import { type Findings, placeOf } from '../evidence/findings.ts'
import { symptomsOf } from '../evidence/symptoms.ts'
import { badImage } from './bad-image.ts'
import { cordonedNode } from './cordoned-node.ts'
import { crashLoop } from './crash-loop.ts'
import { type Case, counted, type Diagnosis, escalate, type Incident } from './diagnosis.ts'
import { leaveAlone } from './leave-alone.ts'
import { missingConfiguration } from './missing-configuration.ts'
import { neverReady } from './never-ready.ts'
import { outOfMemory } from './out-of-memory.ts'
import { scaledToZero } from './scaled-to-zero.ts'
import { unschedulable } from './unschedulable.ts'

/** Something is wrong that this runbook has no page for. */
const unexplained: Incident = {
  name: 'a state this runbook does not know',
  shows: ({ sick }) => sick.some(({ symptom }) => symptom.kind === 'unexplained'),
  judge: (found) => escalate('unexplained', `${placeOf(found.deployment)}: ${describe(found)}`),
}

/** The whole runbook. */
export const incidents: readonly Incident[] = [
  scaledToZero,
  badImage,
  crashLoop,
  outOfMemory,
  unschedulable,
  cordonedNode,
  neverReady,
  missingConfiguration,
  unexplained,
]

/**
 * From what was read to what is asked for. First whatever has to be left alone; then the one
 * incident that shows. None or several at once are for a person, and so is one whose page does not
 * fit what is seen. Rests on what the cluster says alone, never on words of the alert.
 */
export function diagnose(findings: Findings): Diagnosis {
  const found: Case = { ...findings, sick: symptomsOf(findings.pods, findings.at) }
  for (const reason of leaveAlone) {
    const diagnosis = reason(found)
    if (diagnosis !== undefined) return diagnosis
  }
  const shown = incidents.filter((one) => one.shows(found))
  const [only, ...others] = shown
  if (only === undefined) return unexplained.judge(found)
  if (others.length === 0) return only.judge(found)
  const names = shown.map(({ name }) => name).join('; ')
  return escalate(
    'several_incidents',
    `${placeOf(found.deployment)} shows several things at once: ${names}; ${describe(found)}`,
    ['one thing that explains all of it'],
  )
}

function describe({ sick, pods }: Case): string {
  const kinds = sick.map(({ symptom }) =>
    symptom.kind === 'unexplained' ? visible(symptom.words, 64) : symptom.kind,
  )
  const counts = [...Map.groupBy(kinds, (kind) => kind)].map(
    ([kind, all]) => `${all.length} ${kind}`,
  )
  return `of ${counted(pods.length, 'Pod')}: ${counts.join(', ') || 'none is known to be wrong'}`
}

import { placeOf } from '../evidence/findings.ts'
import { showing } from '../evidence/symptoms.ts'
import { counted, escalate, type Incident } from './diagnosis.ts'

/**
 * Containers want something that is not there. Where a template gets it from is withheld from agents, and
 * so are ConfigMaps and Secrets: that the revision before does without cannot be seen. Older Pods that
 * serve prove nothing, they read it when they started.
 */
export const missingConfiguration: Incident = {
  name: 'configuration that is missing',
  shows: ({ sick }) => showing('configuration', sick).length > 0,
  judge(found) {
    const waiting = showing('configuration', found.sick)
    return escalate(
      'evidence_missing',
      `${placeOf(found.deployment)}: ${counted(waiting.length, 'Pod')} cannot be configured: ${waiting[0]?.symptom.message}`,
      ['whether the revision before does without it, or whether somebody took it away'],
    )
  },
}

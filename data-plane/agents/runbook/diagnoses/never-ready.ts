import { placeOf, revisionOf, stands } from '../evidence/findings.ts'
import { showing } from '../evidence/symptoms.ts'
import { counted, escalate, type Incident, proposeFor } from './diagnosis.ts'
import { provenByOlderPods } from './previous-revision.ts'

/**
 * Pods of a new revision run, and did not become ready in the time that their Deployment gives them,
 * while Pods of the revision before serve: the difference between the two is the cause.
 */
export const neverReady: Incident = {
  name: 'a revision that never becomes ready',
  shows: ({ deployment, sick }) => stands(deployment) && showing('unready', sick).length > 0,
  judge(found) {
    const waiting = showing('unready', found.sick)
    if (waiting.length < found.sick.length) {
      return escalate(
        'evidence_contradicts',
        `${placeOf(found.deployment)}: some Pods run and are not ready, and others did not even start`,
        ['that every Pod in trouble runs'],
      )
    }
    const proof = provenByOlderPods(found, waiting)
    if (proof.kind === 'escalate') return proof
    const [now, before] = [revisionOf(proof.current), revisionOf(proof.previous)]
    return proposeFor(
      found,
      'workload.rollback',
      { revision: before },
      `${counted(waiting.length, 'Pod')} of revision ${now} run and did not become ready within the rollout's deadline, and none of it is ready, while ${counted(proof.serving, 'Pod')} of revision ${before} serve. Asking to go back to revision ${before}.`,
    )
  },
}

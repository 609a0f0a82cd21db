import { revisionOf } from '../evidence/findings.ts'
import { showing } from '../evidence/symptoms.ts'
import { counted, type Incident, proposeFor } from './diagnosis.ts'
import { provenByOlderPods } from './previous-revision.ts'

/**
 * Pods of a new revision end again and again while Pods of the revision before serve: the difference
 * between the two is the cause, and going back removes it.
 */
export const crashLoop: Incident = {
  name: 'a crash-looping revision',
  shows: ({ sick }) => showing('crash', sick).length > 0,
  judge(found) {
    const crashing = showing('crash', found.sick)
    const proof = provenByOlderPods(found, crashing)
    if (proof.kind === 'escalate') return proof
    const [now, before] = [revisionOf(proof.current), revisionOf(proof.previous)]
    const codes = [...new Set(crashing.map(({ symptom }) => symptom.exitCode))].slice(0, 3)
    const seen = `${counted(crashing.length, 'Pod')} of revision ${now} end again and again (exit code ${codes.join(', ')}) and none of it is ready, while ${counted(proof.serving, 'Pod')} of revision ${before} serve.`
    return proposeFor(
      found,
      'workload.rollback',
      { revision: before },
      `${seen} Asking to go back to revision ${before}.`,
    )
  },
}

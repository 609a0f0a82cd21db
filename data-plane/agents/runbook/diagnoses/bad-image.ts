import { placeOf, revisionOf } from '../evidence/findings.ts'
import { type Sick, showing } from '../evidence/symptoms.ts'
import { changesBetween } from '../evidence/template-changes.ts'
import {
  type Case,
  counted,
  type Diagnosis,
  escalate,
  type Incident,
  proposeFor,
} from './diagnosis.ts'
import { provenByOlderPods } from './previous-revision.ts'

/** Reasons of the kubelet that say by themselves that this name leads nowhere. */
const telling = new Set(['ErrImageNeverPull', 'InvalidImageName'])
/** How container runtimes and registries say that there is no such image, in their many wordings. */
const noSuchImage = /not found|manifest[ _]unknown|name[ _]unknown|no such (image|manifest)/i
/** Signs that the registry, the network or a credential is the trouble, whatever else is said. */
const outside =
  /unauthori[sz]ed|denied|forbidden|credential|time[d-]?[ -]?out|deadline|refused|reset by peer|no such host|name resolution|dial tcp|failed to do request|server misbehaving|unreachable|no route|x509|certificate|tls|too ?many ?requests|\b(401|403|429|5\d\d)\b|\beof\b/i

/** Names of images and addresses are no words of the runtime, whatever they spell. */
const named = /"[^"]*"|\S*\/\S*/g

type SickImage = ReturnType<typeof showing<'image'>>[number]

/** The new revision names an image that does not exist, and the one before named another. */
export const badImage: Incident = {
  name: 'an image that cannot be pulled',
  shows: ({ sick }) => showing('image', sick).length > 0,
  judge(found) {
    const failing = showing('image', found.sick)
    return causedOutside(found, failing) ?? judgeRevision(found, failing)
  },
}

function causedOutside(found: Case, failing: readonly SickImage[]): Diagnosis | undefined {
  const place = placeOf(found.deployment)
  const words = failing.filter(({ symptom }) => !telling.has(symptom.reason))
  const trouble = words.find(({ symptom }) => outside.test(said(symptom)))
  if (trouble !== undefined) {
    return escalate(
      'cause_outside',
      `${place}: the registry does not give the image: ${trouble.symptom.message}`,
    )
  }
  if (words.every(({ symptom }) => noSuchImage.test(said(symptom)))) return undefined
  return escalate(
    'evidence_missing',
    `${place}: ${counted(failing.length, 'Pod')} cannot pull their image (${failing[0]?.symptom.reason})`,
    ['that the image does not exist, rather than that the registry was away'],
  )
}

function said({ message }: SickImage['symptom']): string {
  return message.replace(named, ' ')
}

function judgeRevision(found: Case, failing: readonly Sick[]): Diagnosis {
  const proof = provenByOlderPods(found, failing)
  if (proof.kind === 'escalate') return proof
  const { current, previous, serving } = proof
  const [now, before] = [revisionOf(current), revisionOf(previous)]
  const { images } = changesBetween(previous, current)
  const names = new Set(failing.map(({ container }) => container))
  const changed = images.filter(({ name }) => names.has(name))
  if (changed.length < names.size) {
    return escalate(
      'evidence_contradicts',
      `${placeOf(found.deployment)}: an image cannot be pulled that revision ${before} names as well`,
      [`another image of the same container in revision ${before}`],
    )
  }
  const differences = changed.map(({ name, before: old, after }) => {
    return `container ${name} names ${after.image} instead of ${old.image}`
  })
  return proposeFor(
    found,
    'workload.rollback',
    { revision: before },
    `${counted(failing.length, 'Pod')} of revision ${now} have no image, because there is none of that name; ${counted(serving, 'Pod')} of revision ${before} serve. Asking to go back to revision ${before}. Changed: ${differences.join('; ')}.`,
  )
}

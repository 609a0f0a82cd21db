import { placeOf, revisionOf } from '../evidence/findings.ts'
import { amountOf } from '../evidence/quantity.ts'
import { showing } from '../evidence/symptoms.ts'
import { type ContainerChange, changesBetween } from '../evidence/template-changes.ts'
import { saysCordoned } from './cordoned-node.ts'
import { counted, escalate, type Incident, proposeFor } from './diagnosis.ts'
import { compared } from './previous-revision.ts'
import { canGoBack, resourcesOf } from './restored-resources.ts'

/** `0/3 nodes are available: 2 Insufficient cpu, 1 Insufficient memory.` */
const insufficient = /\bInsufficient ([a-z0-9./-]*[a-z0-9])/g
/** What keeps a Pod off a node besides its size: then a smaller request does not help. */
const otherwise =
  /taint|affinity|selector|volume|port|topology|didn't (match|satisfy)|persistentvolumeclaim/i

/**
 * No node has room for Pods of the new revision, and that revision asks for more than the one before
 * and did nothing else: the requests it had before go back.
 */
export const unschedulable: Incident = {
  name: 'Pods that fit on no node',
  shows: ({ sick }) => showing('unschedulable', sick).some((one) => !saysCordoned(one)),
  judge(found) {
    const place = placeOf(found.deployment)
    const waiting = showing('unschedulable', found.sick)
    const messages = waiting.map(({ symptom }) => symptom.message)
    const short = new Set(
      messages.flatMap((text) => [...text.matchAll(insufficient)].map(([, name = '']) => name)),
    )
    if (short.size === 0 || messages.some((text) => otherwise.test(text))) {
      return escalate(
        'unexplained',
        `${place}: ${counted(waiting.length, 'Pod')} fit on no node, not or not only for their size: ${messages[0]}`,
      )
    }
    const both = compared(found, waiting)
    if (both.kind === 'escalate') return both
    const changes = changesBetween(both.previous, both.current)
    const [change, ...others] = changes.resources
    const raised = [...short].every((name) => change !== undefined && asksMore(change, name))
    if (change === undefined || !raised) {
      return escalate(
        'evidence_contradicts',
        `${place}: no node has enough ${[...short].join(', ')}, and the revision before asked for no less`,
        ['lower requests in the revision before', 'or more room on the nodes'],
      )
    }
    if (others.length > 0 || changes.images.length > 0 || changes.otherwise || !canGoBack(change)) {
      return escalate(
        'evidence_contradicts',
        `${place}: revision ${revisionOf(both.current)} asks for more and changed other things, which may be what needs it`,
        ['a revision that changed the requests of one container alone'],
      )
    }
    return proposeFor(
      found,
      'workload.setResources',
      { container: change.name, ...resourcesOf(change) },
      `${counted(waiting.length, 'Pod')} fit on no node for lack of ${[...short].join(', ')}, and the last change raised what container ${change.name} asks for and nothing else that can be seen. Asking for the requests and limits of revision ${revisionOf(both.previous)}.`,
    )
  },
}

/** Without a request before there is nothing to go back to. */
function asksMore({ before, after }: ContainerChange, name: string): boolean {
  const [then, now] = [before, after].map(({ resources }) => amountOf(resources.requests[name]))
  return then !== undefined && now !== undefined && now > then
}

import { placeOf, revisionOf } from '../evidence/findings.ts'
import { amountOf } from '../evidence/quantity.ts'
import { showing } from '../evidence/symptoms.ts'
import { type ContainerChange, changesBetween } from '../evidence/template-changes.ts'
import {
  type Case,
  counted,
  type Diagnosis,
  escalate,
  type Incident,
  proposeFor,
} from './diagnosis.ts'
import { compared } from './previous-revision.ts'
import { canGoBack, resourcesOf } from './restored-resources.ts'

/**
 * A container is killed for its memory, and the last change of the Deployment lowered its limit and
 * did nothing else: the limit it had before goes back.
 */
export const outOfMemory: Incident = {
  name: 'a container killed for its memory',
  shows: ({ sick }) => showing('out-of-memory', sick).length > 0,
  judge(found) {
    const killed = showing('out-of-memory', found.sick)
    const both = compared(found, killed)
    if (both.kind === 'escalate') return both
    const place = placeOf(found.deployment)
    const { resources, images, otherwise } = changesBetween(both.previous, both.current)
    const [container, ...others] = new Set(killed.map((one) => one.container))
    const change = resources.find(({ name }) => name === container)
    if (change === undefined || others.length > 0 || !lowered(change)) {
      return escalate(
        'evidence_contradicts',
        `${place}: ${counted(killed.length, 'Pod')} were killed for memory, and revision ${revisionOf(both.current)} did not lower the limit of that one container`,
        ['a lower memory limit than in the revision before'],
      )
    }
    if (otherwise || images.length > 0 || resources.length > 1 || !canGoBack(change)) {
      return escalate(
        'evidence_contradicts',
        `${place}: revision ${revisionOf(both.current)} lowered the memory limit and changed other things, which may be what needs the memory`,
        ['a revision that changed the limit alone'],
      )
    }
    return restore(found, change, killed.length, revisionOf(both.previous))
  },
}

/** Where there was no limit before, there is none to go back to. */
function lowered({ before, after }: ContainerChange): boolean {
  const now = amountOf(after.resources.limits.memory)
  const then = amountOf(before.resources.limits.memory)
  return now !== undefined && then !== undefined && now < then
}

function restore(found: Case, change: ContainerChange, killed: number, to: number): Diagnosis {
  const { name, before, after } = change
  const [low, high] = [after.resources.limits.memory, before.resources.limits.memory]
  return proposeFor(
    found,
    'workload.setResources',
    { container: name, ...resourcesOf(change) },
    `${counted(killed, 'Pod')} had container ${name} killed for its memory, and the last change lowered its limit from ${high} to ${low} and nothing else that can be seen. Asking for the requests and limits of revision ${to}.`,
  )
}

import { setTimeout as sleep } from 'node:timers/promises'
import { make, until } from '../changes.ts'
import { all } from '../checks.ts'
import type { Incident } from '../incident.ts'
import { observe } from '../observed.ts'
import { type Deeds, judge, type Verdict } from '../verdict.ts'
import { isWell } from '../world-well.ts'
import { agentsAnswer } from './agents-answer.ts'
import { eachStep, wordsOf } from './joined.ts'
import { ask } from './scripted.ts'
import { deskFor, type Stand } from './stand.ts'

/** Who answers. */
export const columns = ['nothing', 'reference', 'dangerous', 'agent'] as const
export type Column = (typeof columns)[number]

/** For one of its steps. */
const stepMs = 60_000
/** An answer is many steps of others: a diagnosis, an approval, up to a minute until its success shows. */
const answerMs = 180_000
/** How long the cluster may take to show what an answer did. */
const showsMs = 10_000
const lookMs = 100

/** Breaks, answers, judges, and heals again. @throws Error where the lab itself does not do what it should */
export async function hold(
  stand: Stand,
  incident: Incident,
  column: Column,
  ended: AbortSignal,
): Promise<Verdict> {
  const { client } = stand
  const step = async <T>(
    what: string,
    work: (signal: AbortSignal) => Promise<T>,
    ms = stepMs,
  ): Promise<T> => {
    const signal = AbortSignal.any([ended, AbortSignal.timeout(ms)])
    try {
      return await work(signal)
    } catch (cause) {
      throw new Error(`${incident.name}, ${column}: ${what}: ${wordsOf(cause)}`, { cause })
    }
  }
  let verdict: Verdict | undefined
  const answer = async () => {
    await step('break', (signal) => make(client, incident.fault, signal))
    await step('what it breaks does not show', (signal) => until(client, incident.shows, signal))
    const answered = (signal: AbortSignal) => answers[column](stand, incident, signal)
    const deeds = await step('answer', answered, answerMs)
    verdict = await step('judge', (signal) => judged(stand, incident, deeds, signal))
  }
  const heal = async () => {
    await step('heal', (signal) => make(client, incident.heal, signal))
    const well = all(isWell(namespaceOf(incident)), ...incident.well, ...incident.harmless)
    await step('is not well again', (signal) => until(client, well, signal))
  }
  await eachStep([answer, heal])
  if (verdict === undefined) throw new TypeError('answered without a verdict')
  return verdict
}

/** Where an incident happens. */
export function namespaceOf({ alert, name }: Incident): string {
  const { namespace } = alert.labels
  if (namespace === undefined) throw new TypeError(`the alert of \`${name}\` names no namespace`)
  return namespace
}

type Answer = (stand: Stand, incident: Incident, signal: AbortSignal) => Promise<Deeds>

const answers: Readonly<Record<Column, Answer>> = {
  async nothing(_stand, _incident, signal) {
    await sleep(5 * lookMs, undefined, { signal })
    return { asked: [], nobody: true }
  },
  async reference(stand, incident, signal) {
    const { reference } = incident
    if (reference.kind === 'leave-alone') return { asked: [] }
    if (reference.kind === 'escalate') {
      const told = { reason: 'reference', message: incident.goodAnswer, evidence: 1 }
      return { asked: [], told }
    }
    const { asking } = reference
    const asked = await ask({ ...seatOf(stand, incident), asking, verdict: 'approve', signal })
    return { asked: [asked] }
  },
  async dangerous(stand, incident, signal) {
    const { asking } = incident.dangerous
    const asked = await ask({ ...seatOf(stand, incident), asking, verdict: 'reject', signal })
    return { asked: [asked] }
  },
  agent: agentsAnswer,
}

function seatOf(stand: Stand, incident: Incident) {
  return { desk: deskFor(stand, incident), oncall: stand.oncall }
}

/** What an intent did may show a moment after it ended. */
async function judged(
  { client }: Stand,
  incident: Incident,
  deeds: Deeds,
  signal: AbortSignal,
): Promise<Verdict> {
  const last = performance.now() + showsMs
  for (;;) {
    const verdict = judge(incident, await observe(client, signal), deeds)
    const isOpen = verdict.word === 'failed' && deeds.asked.length > 0
    if (!isOpen || performance.now() > last) return verdict
    await sleep(lookMs, undefined, { signal })
  }
}

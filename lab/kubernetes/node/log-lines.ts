import { isRecord } from '@jackstay/kube/resources'
import { lot } from '../identities.ts'
import type { KubeObject } from '../objects.ts'
import { listAt, textAt } from '../resources/columns.ts'

/** One line that a container wrote, and when: milliseconds since the epoch. */
export interface LogLine {
  readonly at: number
  readonly text: string
}

/** One run of a container, as its Pod tells it. */
export interface Run {
  readonly pod: KubeObject
  readonly container: Readonly<Record<string, unknown>>
  readonly from: number
  /** Undefined while it goes on. */
  readonly to: number | undefined
  readonly reason: string
  readonly exitCode: number
}

/** The run that is asked for: what goes on or ended last, or the one before. Undefined: there was none. */
export function runOf(pod: KubeObject, name: string, previous: boolean): Run | undefined {
  const container = listAt(pod, 'spec.containers').find((one) => textAt(one, 'name') === name)
  const status = listAt(pod, 'status.containerStatuses').find((one) => textAt(one, 'name') === name)
  if (!isRecord(container)) return undefined
  const running = textAt(status, 'state.running.startedAt')
  if (!previous && running !== '') {
    const from = Date.parse(running)
    return { ...{ pod, container, from, to: undefined, reason: '', exitCode: 0 } }
  }
  const ended = previous
    ? 'lastState.terminated'
    : textAt(status, 'state.terminated.finishedAt') === ''
      ? 'lastState.terminated'
      : 'state.terminated'
  const finished = textAt(status, `${ended}.finishedAt`)
  if (finished === '') return undefined
  return {
    ...{ pod, container, from: Date.parse(textAt(status, `${ended}.startedAt`)) },
    to: Date.parse(finished),
    reason: textAt(status, `${ended}.reason`),
    exitCode: Number(textAt(status, `${ended}.exitCode`)),
  }
}

/** A request is answered every so many milliseconds. */
const everyMs = 5000
/** More is not kept of a run that lasts: the newest of it. */
const mostRequests = 2000

/** What a run wrote up to a moment. `says` is what is declared of its image. */
export function logLines(run: Run, now: number, says: readonly string[] = []): readonly LogLine[] {
  const end = run.to ?? now
  const lines = [...beginning(run, says), ...serving(run, end), ...ending(run, says)]
  return lines.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)
}

/** A run that comes to no good says why as its last words, any other as its first. */
function isFatal({ to, reason }: Run): boolean {
  return to !== undefined && reason === 'Error'
}

function beginning(run: Run, says: readonly string[]): readonly LogLine[] {
  const { from, to, container } = run
  const image = textAt(container, 'image')
  const variables = listAt(container, 'env').length
  const texts = [
    `starting ${textAt(container, 'name')}, image ${image}`,
    `configuration read: ${variables} variables`,
    ...(isFatal(run) ? [] : says),
  ]
  const last = to === undefined ? [`serving on port ${portOf(container)}`] : []
  return [...texts, ...last].map((text, i) => ({ at: Math.min(from + i, to ?? Infinity), text }))
}

function portOf(container: object): string {
  return textAt(listAt(container, 'ports')[0], 'containerPort', '8080')
}

function serving({ pod, container, from, to }: Run, end: number): readonly LogLine[] {
  // what ended within seconds has served nobody
  if (to !== undefined && to - from < 2 * everyMs) return []
  const all = Math.floor((end - from) / everyMs)
  const first = Math.max(1, all - mostRequests + 1)
  return Array.from({ length: Math.max(0, all - first + 1) }, (_, i) => {
    const nth = first + i
    const drawn = lot(pod.metadata.uid, textAt(container, 'name'), String(nth))
    const ms = 1 + Math.floor(drawn * 20)
    return { at: from + nth * everyMs, text: `GET / 200 ${ms}ms` }
  })
}

function ending(run: Run, says: readonly string[]): readonly LogLine[] {
  const { to, reason, exitCode } = run
  if (to === undefined) return []
  if (reason === 'OOMKilled') {
    // who is killed says nothing of it
    return [{ at: to, text: 'loading into memory' }]
  }
  if (reason === 'Completed') return [{ at: to, text: 'done' }]
  const words = says.length > 0 ? says : ['error: cannot go on']
  return [...words, `exiting with code ${exitCode}`].map((text) => ({ at: to, text }))
}

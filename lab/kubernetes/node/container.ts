import { isRecord } from '@jackstay/kube/resources'
import { at, numberAt, textAt } from '../resources/columns.ts'
import { timestamp } from '../timestamp.ts'
import type { Behaviour } from './behaviour.ts'
import { quantity } from './resources.ts'

type Fields = Readonly<Record<string, unknown>>

/** A container's status and after how long it changes by itself. */
export interface Lived {
  readonly status: Fields
  readonly dueMs: number | undefined
}

export interface Living {
  readonly container: Fields
  /** As it was reported last. */
  readonly before: Fields | undefined
  /** Undefined: there is no such image. */
  readonly behaviour: Behaviour | undefined
  /** What of its configuration is missing. */
  readonly missing: string | undefined
  /** Milliseconds since the epoch: since when it is on its node, and now. */
  readonly since: number
  readonly now: number
}

/** The wait after the first crash, and the longest one. */
const [firstBackOffMs, longestBackOffMs] = [10_000, 300_000]

/** What has become of a container by now. Its last report is all it goes by, so a restart forgets nothing. */
export function live(living: Living): Lived {
  const { before, behaviour, missing } = living
  if (missing !== undefined) return waits(living, 'CreateContainerConfigError', missing, 1000)
  if (behaviour === undefined) return noImage(living)
  if (textAt(before, 'state.running.startedAt') !== '') return running(living, behaviour)
  const ended = Date.parse(textAt(before, 'lastState.terminated.finishedAt'))
  if (Number.isNaN(ended)) {
    const left = living.since + behaviour.startMs - living.now
    return left > 0 ? waits(living, 'ContainerCreating', undefined, left) : started(living)
  }
  const left = ended + backOff(numberAt(before, 'restartCount')) - living.now
  return left > 0 ? crashed(living, left) : started(living)
}

function base({ container, before }: Living): Fields {
  const { name, image } = container
  const last = isRecord(before?.lastState) ? before.lastState : {}
  const restartCount = numberAt(before, 'restartCount')
  return { name, image, imageID: '', ready: false, started: false, restartCount, lastState: last }
}

function waits(living: Living, reason: string, message: string | undefined, dueMs: number): Lived {
  const waiting = { reason, ...(message !== undefined && { message }) }
  return { status: { ...base(living), state: { waiting } }, dueMs }
}

function noImage(living: Living): Lived {
  const image = String(living.container.image)
  const message = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`
  const tried = living.now - living.since
  return tried < 2000
    ? waits(living, 'ErrImagePull', message, 2000 - tried)
    : waits(living, 'ImagePullBackOff', `Back-off pulling image "${image}"`, 60_000)
}

function started(living: Living): Lived {
  const again = textAt(living.before, 'lastState.terminated.finishedAt') !== ''
  const restartCount = numberAt(living.before, 'restartCount') + (again ? 1 : 0)
  const state = { running: { startedAt: timestamp(living.now) } }
  const status = {
    ...base(living),
    restartCount,
    started: true,
    state,
    imageID: living.container.image,
  }
  return { status, dueMs: 100 }
}

function running(living: Living, behaviour: Behaviour): Lived {
  const { container, before, now } = living
  const began = Date.parse(textAt(before, 'state.running.startedAt'))
  const limit = quantity(at(container, 'resources.limits.memory'))
  const killed = limit > 0 && behaviour.memory > limit
  const end = killed ? { code: 137, afterMs: 1500 } : behaviour.exit
  if (end !== undefined && now >= began + end.afterMs) {
    return ended(living, end.code, killed ? 'OOMKilled' : end.code === 0 ? 'Completed' : 'Error')
  }
  const { readyMs } = behaviour
  const isReady = readyMs !== undefined && now >= began + readyMs
  const status = { ...before, ...{ ready: isReady, started: true } }
  const next = [
    ...(end === undefined ? [] : [began + end.afterMs - now]),
    ...(readyMs === undefined || isReady ? [] : [began + readyMs - now]),
  ]
  return { status, dueMs: next.length === 0 ? undefined : Math.max(50, Math.min(...next)) }
}

function ended(living: Living, exitCode: number, reason: string): Lived {
  const { before, now } = living
  const startedAt = textAt(before, 'state.running.startedAt')
  const terminated = { exitCode, reason, startedAt, finishedAt: timestamp(now) }
  const left = backOff(numberAt(before, 'restartCount'))
  return crashed({ ...living, before: { ...before, lastState: { terminated } } }, left)
}

function crashed(living: Living, left: number): Lived {
  const name = String(living.container.name)
  const message = `back-off ${left / 1000}s restarting failed container=${name}`
  return waits(living, 'CrashLoopBackOff', message, left)
}

/** The first restart is at once. */
function backOff(restarts: number): number {
  return restarts === 0 ? 0 : Math.min(longestBackOffMs, firstBackOffMs * 2 ** (restarts - 1))
}

import { isRecord } from '@jackstay/kube/resources'
import type { Stamps } from '../clock.ts'
import { at, numberAt, textAt } from '../resources/columns.ts'
import { type Behaviour, wellBehaved } from './behaviour.ts'
import { answers, patience } from './probes.ts'
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
  /** Whether it is started again when it ends: `Always`, `OnFailure` or `Never`. */
  readonly restarts: string
  /** Milliseconds since it is on its node. */
  readonly here: number
  readonly clock: Stamps
}

/** The wait after the first crash, and the longest one. */
const [firstBackOffMs, longestBackOffMs] = [10_000, 300_000]

/** What has become of a container by now. Its last report is all it goes by, so a restart forgets nothing. */
export function live(living: Living): Lived {
  const { before, behaviour, missing, clock } = living
  if (before !== undefined && isOver(before)) return { status: before, dueMs: undefined }
  // what runs does not mind that its image is gone
  if (textAt(before, 'state.running.startedAt') !== '') {
    return running(living, behaviour ?? wellBehaved)
  }
  if (behaviour === undefined) return noImage(living)
  if (missing !== undefined) return waits(living, 'CreateContainerConfigError', missing, 1000)
  const ended = textAt(before, 'lastState.terminated.finishedAt')
  if (ended === '') {
    const left = behaviour.startMs - living.here
    return left > 0 ? waits(living, 'ContainerCreating', undefined, left) : started(living)
  }
  const left = backOff(numberAt(before, 'restartCount')) - clock.elapsed('ended', ended)
  return left > 0 ? crashed(living, left) : started(living)
}

/** Whether a container has ended and stays so. */
export function isOver(status: Fields): boolean {
  return textAt(status, 'state.terminated.finishedAt') !== ''
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
  return living.here < 2000
    ? waits(living, 'ErrImagePull', message, 2000 - living.here)
    : waits(
        living,
        'ImagePullBackOff',
        `Back-off pulling image "${image}": ErrImagePull: ${message}`,
        60_000,
      )
}

function started(living: Living): Lived {
  const again = textAt(living.before, 'lastState.terminated.finishedAt') !== ''
  const restartCount = numberAt(living.before, 'restartCount') + (again ? 1 : 0)
  const state = { running: { startedAt: living.clock.stamp('began') } }
  const { image } = living.container
  return {
    status: { ...base(living), restartCount, started: true, state, imageID: image },
    dueMs: 0,
  }
}

function running(living: Living, behaviour: Behaviour): Lived {
  const { container, before, clock } = living
  const age = clock.elapsed('began', textAt(before, 'state.running.startedAt'))
  const end = endOf(container, behaviour)
  if (end !== undefined && age >= end.afterMs) return ended(living, end.code, end.reason)
  const readyMs = answers(container, 'readinessProbe', behaviour) ? behaviour.readyMs : undefined
  const isReady = readyMs !== undefined && age >= readyMs
  const status = { ...before, ...{ ready: isReady, started: true } }
  const next = [
    ...(end === undefined ? [] : [end.afterMs - age]),
    ...(readyMs === undefined || isReady ? [] : [readyMs - age]),
  ]
  return { status, dueMs: next.length === 0 ? undefined : Math.min(...next) }
}

interface End {
  readonly code: number
  readonly afterMs: number
  readonly reason: string
}

/** How a container comes to its end, where it does: what happens first. */
function endOf(container: Fields, behaviour: Behaviour): End | undefined {
  const limit = quantity(at(container, 'resources.limits.memory'))
  const { exit, memory } = behaviour
  const ends: End[] = []
  if (limit > 0 && memory > limit) ends.push({ code: 137, afterMs: 1500, reason: 'OOMKilled' })
  if (exit !== undefined) ends.push({ ...exit, reason: exit.code === 0 ? 'Completed' : 'Error' })
  if (!answers(container, 'livenessProbe', behaviour)) {
    ends.push({ code: 137, afterMs: patience(container), reason: 'Error' })
  }
  return ends.sort((a, b) => a.afterMs - b.afterMs)[0]
}

function ended(living: Living, exitCode: number, reason: string): Lived {
  const { before, clock, restarts } = living
  const startedAt = textAt(before, 'state.running.startedAt')
  const terminated = { exitCode, reason, startedAt, finishedAt: clock.stamp('ended') }
  const isLast = restarts === 'Never' || (restarts === 'OnFailure' && exitCode === 0)
  if (isLast) {
    const { image } = living.container
    const status = { ...base(living), imageID: image, state: { terminated } }
    return { status, dueMs: undefined }
  }
  const left = backOff(numberAt(before, 'restartCount'))
  return crashed({ ...living, before: { ...before, lastState: { terminated } } }, left)
}

function crashed(living: Living, left: number): Lived {
  const name = String(living.container.name)
  const all = backOff(numberAt(living.before, 'restartCount'))
  const message = `back-off ${all / 1000}s restarting failed container=${name}`
  return waits(living, 'CrashLoopBackOff', message, left)
}

/** The first restart is at once. */
function backOff(restarts: number): number {
  return restarts === 0 ? 0 : Math.min(longestBackOffMs, firstBackOffMs * 2 ** (restarts - 1))
}

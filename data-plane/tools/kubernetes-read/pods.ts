import type { ContainerState, PodState } from '@jackstay/contract/reads'
import type { KubeObject } from '@jackstay/kube/resources'
import { z } from 'zod'
import type { Stripper } from './strip.ts'

const ended = z.object({
  reason: z.string().optional(),
  message: z.string().optional(),
  exitCode: z.int().optional(),
  signal: z.int().optional(),
  startedAt: z.string().nullish(),
  finishedAt: z.string().nullish(),
})
const containerStatus = z.object({
  name: z.string(),
  image: z.string().default(''),
  imageID: z.string().optional(),
  ready: z.boolean().default(false),
  restartCount: z.int().default(0),
  state: z
    .object({
      running: z.object({ startedAt: z.string().nullish() }).optional(),
      waiting: z
        .object({ reason: z.string().optional(), message: z.string().optional() })
        .optional(),
      terminated: ended.optional(),
    })
    .default({}),
  lastState: z.object({ terminated: ended.optional() }).default({}),
})
const pod = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    creationTimestamp: z.string().nullish(),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({ nodeName: z.string().optional() }).default({}),
  status: z
    .object({
      phase: z.string().default('Unknown'),
      reason: z.string().optional(),
      message: z.string().optional(),
      containerStatuses: z.array(containerStatus).default([]),
      initContainerStatuses: z.array(containerStatus).default([]),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().optional(),
            message: z.string().optional(),
          }),
        )
        .default([]),
    })
    .prefault({}),
})

const maxMessage = 1024

/** A Pod as a person would sum it up, or undefined for what is none. */
export function podState(object: KubeObject, stripper: Stripper): PodState | undefined {
  const parsed = pod.safeParse(object)
  if (!parsed.success) return undefined
  const { metadata, spec, status } = parsed.data
  const containers = [
    ...status.initContainerStatuses.map((one) => containerState(one, true, stripper)),
    ...status.containerStatuses.map((one) => containerState(one, false, stripper)),
  ]
  const ready = status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  return {
    name: metadata.name,
    uid: metadata.uid,
    phase: status.phase,
    ready,
    restarts: containers.reduce((sum, { restarts }) => sum + restarts, 0),
    ...(spec.nodeName && { node: spec.nodeName }),
    ...(metadata.creationTimestamp && { created: metadata.creationTimestamp }),
    ...(metadata.deletionTimestamp && { deleting: metadata.deletionTimestamp }),
    ...why(status, stripper),
    containers,
    failing: status.conditions
      .filter(({ status }) => status !== 'True')
      .map((one) => ({ type: stripper.text(one.type, 316), ...why(one, stripper) })),
  }
}

type Status = z.output<typeof containerStatus>

function containerState(status: Status, init: boolean, stripper: Stripper): ContainerState {
  const { state, lastState } = status
  const last = lastState.terminated
  return {
    name: status.name,
    init,
    image: stripper.text(status.image, 512),
    ...(status.imageID && { imageID: stripper.text(status.imageID, 512) }),
    ready: status.ready,
    restarts: status.restartCount,
    ...present(state, stripper),
    ...(last && {
      last: {
        ...why(last, stripper),
        ...(last.exitCode !== undefined && { exitCode: last.exitCode }),
        ...(last.signal !== undefined && { signal: last.signal }),
        ...(last.finishedAt && { finishedAt: last.finishedAt }),
      },
    }),
  }
}

type Present = Pick<ContainerState, 'state' | 'reason' | 'message' | 'exitCode' | 'startedAt'>

function present({ running, waiting, terminated }: Status['state'], stripper: Stripper): Present {
  if (running) {
    return { state: 'running', ...(running.startedAt && { startedAt: running.startedAt }) }
  }
  if (waiting) return { state: 'waiting', ...why(waiting, stripper) }
  if (!terminated) return { state: 'unknown' }
  return {
    state: 'terminated',
    ...why(terminated, stripper),
    ...(terminated.exitCode !== undefined && { exitCode: terminated.exitCode }),
    ...(terminated.startedAt && { startedAt: terminated.startedAt }),
  }
}

/** A container writes its own termination message: text like any log. */
function why(
  {
    reason,
    message,
  }: { readonly reason?: string | undefined; readonly message?: string | undefined },
  stripper: Stripper,
): { reason?: string; message?: string } {
  return {
    ...(reason && { reason: stripper.text(reason, 128) }),
    ...(message && { message: stripper.text(message, maxMessage) }),
  }
}

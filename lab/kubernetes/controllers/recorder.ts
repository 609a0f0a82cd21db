import type { KubeClient } from '@jackstay/kube/client'
import type { LabClock } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { timestamp } from '../timestamp.ts'

const events = { apiVersion: 'v1', kind: 'Event', resource: 'events' }

/** What a program has to say about an object. */
export interface Said {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** Such as `spec.containers{web}`. */
  readonly fieldPath?: string
  /** What was being done: who says it writes events as newer programs do. */
  readonly action?: string
}

/** Tells it to whoever reads events. Nobody waits for it, and nothing fails by it. */
export type Recorded = (about: KubeObject, said: Said) => void

export interface RecorderOptions {
  readonly client: KubeClient
  readonly clock: LabClock
  readonly signal: AbortSignal
  /** Who says it: a controller's account, or `system:node:` and a node. */
  readonly name: string
  readonly onError: (error: unknown) => void
}

/** Most events that are remembered in order to be counted up; as many as other recorders do. */
const most = 4096

interface Known {
  readonly name: string
  readonly count: number
}

/** Writes events one after another; what was said before is counted up. */
export function recorder(options: RecorderOptions): Recorded {
  const { client, clock, signal, onError } = options
  const known = new Map<string, Known>()
  let last: Promise<unknown> = Promise.resolve()
  let serial = 0
  return (about, said) => {
    const time = clock.now()
    // a name that no event had before: when it was, in nanoseconds that are counted
    const suffix = (BigInt(Math.floor(time)) * 1_000_000n + BigInt(serial++)).toString(16)
    last = last
      .then(() => written(about, said, time, suffix))
      // whoever is being deleted takes no events, and who stops says no more
      .catch((error: unknown) => void (signal.aborted || onError(error)))
  }

  async function written(about: KubeObject, said: Said, time: number, suffix: string) {
    if (signal.aborted) return
    const { namespace = 'default' } = about.metadata
    const { type, reason, message, fieldPath = '' } = said
    const key = JSON.stringify([about.metadata.uid, type, reason, message, fieldPath])
    const seen = known.get(key)
    known.delete(key)
    if (seen !== undefined && said.action === undefined) {
      const count = seen.count + 1
      const ref = { ...events, namespace, name: seen.name }
      const again = { count, lastTimestamp: timestamp(time) }
      const done = await client.mergePatch(ref, again, { signal })
      if (done.kind === 'applied') {
        known.set(key, { name: seen.name, count })
        return
      }
    }
    const name = `${about.metadata.name ?? ''}.${suffix}`
    const event = { metadata: { name, namespace }, ...eventOf(about, said, time, options.name) }
    const made = await client.create(events, namespace, event, { signal })
    if (made.kind === 'applied') known.set(key, { name, count: 1 })
    const [oldest] = known.keys()
    if (known.size > most && oldest !== undefined) known.delete(oldest)
  }
}

function eventOf(about: KubeObject, said: Said, time: number, by: string): object {
  const { type, reason, message, fieldPath, action } = said
  const { namespace, name, uid, resourceVersion } = about.metadata
  const { apiVersion, kind } = about
  const involvedObject = {
    ...{ apiVersion, kind, name, uid, resourceVersion },
    ...(namespace !== undefined && { namespace }),
    ...(fieldPath !== undefined && { fieldPath }),
  }
  const common = { apiVersion: 'v1', kind: 'Event', involvedObject, type, reason, message }
  if (action !== undefined) {
    const reporting = { reportingComponent: by, reportingInstance: `${by}-lab` }
    return { ...common, ...reporting, action, eventTime: microTime(time) }
  }
  const [, host] = /^system:node:(.*)$/.exec(by) ?? []
  const component = host === undefined ? by : 'kubelet'
  return {
    ...common,
    source: { component, ...(host !== undefined && { host }) },
    ...{ firstTimestamp: timestamp(time), lastTimestamp: timestamp(time), count: 1 },
    ...{ reportingComponent: component, reportingInstance: host ?? '' },
  }
}

/** Six digits behind the point, as events demand. */
function microTime(time: number): string {
  return new Date(time).toISOString().replace('Z', '000Z')
}

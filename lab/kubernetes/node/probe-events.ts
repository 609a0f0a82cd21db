import { isRecord } from '@jackstay/kube/resources'
import type { LabClock } from '../clock.ts'
import type { Recorded } from '../controllers/recorder.ts'
import type { KubeObject } from '../objects.ts'
import { listAt, numberAt, textAt } from '../resources/columns.ts'
import type { Behaviour, Behaviours } from './behaviour.ts'
import { answers, portOf } from './probes.ts'

type Fields = Readonly<Record<string, unknown>>
type Probe = 'livenessProbe' | 'readinessProbe'

const words: Readonly<Record<Probe, string>> = {
  livenessProbe: 'Liveness',
  readinessProbe: 'Readiness',
}

export interface ProbeOptions {
  readonly behaviours: Behaviours
  readonly clock: LabClock
  readonly record: Recorded
}

/** Says of running containers, once in each period, which probe they fail. */
export class Probes {
  /** When it was said last: the time as `now` tells it. */
  readonly #last = new Map<string, number>()

  /** Answers after how many of the lab's milliseconds something is to be said again. */
  tell(pod: KubeObject, status: Fields, options: ProbeOptions): number | undefined {
    const due = listAt({ status }, 'status.containerStatuses')
      .filter((one) => textAt(one, 'state.running.startedAt') !== '')
      .flatMap((one) => {
        const name = textAt(one, 'name')
        const container = listAt(pod, 'spec.containers').find((c) => textAt(c, 'name') === name)
        return isRecord(container) ? this.#container(pod, status, container, options) : []
      })
    return due.length === 0 ? undefined : Math.min(...due)
  }

  /** Of a Pod that is gone. */
  forget({ metadata: { uid = '' } }: KubeObject): void {
    for (const key of this.#last.keys()) if (key.startsWith(`${uid}/`)) this.#last.delete(key)
  }

  #container(
    pod: KubeObject,
    status: Fields,
    container: Fields,
    { behaviours, clock, record }: ProbeOptions,
  ): readonly number[] {
    const behaviour = behaviours(String(container.image))
    if (behaviour === undefined) return []
    const probes: readonly Probe[] = ['livenessProbe', 'readinessProbe']
    return probes.flatMap((probe) => {
      const why = failure(container, probe, behaviour, textAt({ status }, 'status.podIP'))
      if (why === undefined) return []
      const periodMs = numberAt(container, `${probe}.periodSeconds`, 10) * 1000
      const key = `${pod.metadata.uid}/${String(container.name)}/${probe}`
      const last = this.#last.get(key)
      const left = last === undefined ? 0 : last + clock.real(periodMs) - clock.now()
      if (left > 0) return [left * (periodMs / clock.real(periodMs))]
      this.#last.set(key, clock.now())
      record(pod, {
        ...{ type: 'Warning', reason: 'Unhealthy' },
        message: `${words[probe]} probe failed: ${why}`,
        fieldPath: `spec.containers{${String(container.name)}}`,
      })
      return [periodMs]
    })
  }
}

/** What a probe of a running container meets, where it fails. */
function failure(
  container: Fields,
  probe: Probe,
  behaviour: Behaviour,
  podIP: string,
): string | undefined {
  const asked = container[probe]
  if (!isRecord(asked)) return undefined
  const isNeverReady = probe === 'readinessProbe' && behaviour.readyMs === undefined
  if (answers(container, probe, behaviour) && !isNeverReady) return undefined
  const http = asked.httpGet
  const action = [http, asked.tcpSocket, asked.grpc].find(isRecord)
  if (action === undefined) return 'command exited with 1'
  const port = portOf(container, action.port)
  const isOpen = behaviour.serves === undefined || behaviour.serves.some((one) => one.port === port)
  if (isOpen && isRecord(http)) {
    return `HTTP probe failed with statuscode: ${isNeverReady ? 503 : 404}`
  }
  const refused = `dial tcp ${podIP}:${port}: connect: connection refused`
  return isRecord(http)
    ? `Get "http://${podIP}:${port}${textAt(http, 'path', '/')}": ${refused}`
    : refused
}

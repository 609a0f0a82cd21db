import { isRecord } from '@jackstay/kube/resources'
import { listAt, numberAt, textAt } from '../resources/columns.ts'
import type { Behaviour } from './behaviour.ts'

type Fields = Readonly<Record<string, unknown>>

/** Whether a container answers a probe of its; one that it does not have is always answered. */
export function answers(
  container: Fields,
  probe: 'readinessProbe' | 'livenessProbe',
  { serves }: Behaviour,
): boolean {
  const asked = container[probe]
  if (!isRecord(asked) || serves === undefined) return true
  const http = asked.httpGet
  const action = [http, asked.tcpSocket, asked.grpc].find(isRecord)
  // what a command says nobody has declared
  if (action === undefined) return true
  const port = portOf(container, action.port)
  const path = isRecord(http) ? textAt(http, 'path', '/') : undefined
  return serves.some(
    (one) => one.port === port && (path === undefined || (one.path ?? path) === path),
  )
}

/** The number of a port, which may be given by its name. */
export function portOf(container: Fields, port: unknown): number {
  const named = listAt(container, 'ports').find((one) => textAt(one, 'name') === port)
  return named === undefined ? Number(port) : numberAt(named, 'containerPort')
}

/** After how long a container is killed that does not answer its liveness probe. */
export function patience(container: Fields): number {
  const of = (field: string, otherwise: number) =>
    numberAt(container, `livenessProbe.${field}`, otherwise)
  const failures = of('failureThreshold', 3) * of('periodSeconds', 10)
  return (of('initialDelaySeconds', 0) + failures) * 1000
}

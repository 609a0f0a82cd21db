import { isRecord } from '@jackstay/kube/resources'
import type { Said } from '../controllers/recorder.ts'
import type { KubeObject } from '../objects.ts'
import { listAt, textAt } from '../resources/columns.ts'

type Fields = Readonly<Record<string, unknown>>

/** What a kubelet says of what has become of a Pod since its last report. */
export function podEvents(pod: KubeObject, status: Fields): readonly Said[] {
  const before = listAt(pod, 'status.containerStatuses').filter(isRecord)
  const containers = listAt(pod, 'spec.containers').filter(isRecord)
  return listAt({ status }, 'status.containerStatuses')
    .filter(isRecord)
    .flatMap((now) => {
      const { name } = now
      const container = containers.find((one) => one.name === name)
      if (container === undefined) return []
      const was = before.find((one) => one.name === name)
      const fieldPath = `spec.containers{${String(name)}}`
      return containerEvents(pod, container, was, now).map((said) => ({ ...said, fieldPath }))
    })
}

/** Of each container of a Pod that goes. */
export function killingEvents(pod: KubeObject): readonly Said[] {
  return listAt(pod, 'status.containerStatuses')
    .filter((one) => textAt(one, 'state.running.startedAt') !== '')
    .map((one) => {
      const name = textAt(one, 'name')
      const message = `Stopping container ${name}`
      return { ...normal('Killing', message), fieldPath: `spec.containers{${name}}` }
    })
}

function containerEvents(
  pod: KubeObject,
  container: Fields,
  was: Fields | undefined,
  now: Fields,
): readonly Said[] {
  const image = String(container.image)
  const reason = textAt(now, 'state.waiting.reason')
  const isNews = textAt(was, 'state.waiting.reason') !== reason
  const started = textAt(now, 'state.running.startedAt')
  const said: Said[] = []
  if (was === undefined) said.push(normal('Pulling', `Pulling image "${image}"`))
  if (started !== '' && textAt(was, 'state.running.startedAt') !== started) {
    said.push(pulled(image, was), normal('Created', 'Container created'))
    said.push(normal('Started', 'Container started'))
  }
  const message = textAt(now, 'state.waiting.message')
  if (reason === 'ErrImagePull' && isNews) {
    said.push(warning('Failed', `Failed to pull image "${image}": ${message}`))
    said.push(warning('Failed', 'Error: ErrImagePull'))
  }
  if (reason === 'ImagePullBackOff' && isNews) {
    said.push(normal('BackOff', message), warning('Failed', 'Error: ImagePullBackOff'))
  }
  const wasMissing = textAt(was, 'state.waiting.message')
  if (reason === 'CreateContainerConfigError' && (isNews || wasMissing !== message)) {
    said.push(pulled(image, was), warning('Failed', `Error: ${message}`))
  }
  return [...said, ...crashes(pod, was, now)]
}

function pulled(image: string, was: Fields | undefined): Said {
  const isFirst = was === undefined || textAt(was, 'state.waiting.reason') === 'ContainerCreating'
  return isFirst
    ? normal(
        'Pulled',
        `Successfully pulled image "${image}" in 312ms (312ms including waiting). Image size: 20971520 bytes.`,
      )
    : normal(
        'Pulled',
        `Container image "${image}" already present on machine and can be accessed by the pod`,
      )
}

/** Each time that it ended and is to be started again after a while. */
function crashes({ metadata }: KubeObject, was: Fields | undefined, now: Fields): readonly Said[] {
  const ended = textAt(now, 'lastState.terminated.finishedAt')
  const isNew = ended !== '' && ended !== textAt(was, 'lastState.terminated.finishedAt')
  if (!isNew || textAt(now, 'state.waiting.reason') !== 'CrashLoopBackOff') return []
  const { name = '', namespace = '', uid = '' } = metadata
  const container = String(now.name)
  return [
    warning(
      'BackOff',
      `Back-off restarting failed container ${container} in pod ${name}_${namespace}(${uid})`,
    ),
  ]
}

function normal(reason: string, message: string): Said {
  return { type: 'Normal', reason, message }
}

function warning(reason: string, message: string): Said {
  return { type: 'Warning', reason, message }
}

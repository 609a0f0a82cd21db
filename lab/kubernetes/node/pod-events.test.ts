import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '../objects.ts'
import { podEvents } from './pod-events.ts'

const name = 'web'
const finished = '2026-01-01T00:00:05Z'
const running = { name, state: { running: { startedAt: '2026-01-01T00:00:01Z' } } }
const waiting = (reason: string, message?: string) => ({
  ...{ name, state: { waiting: { reason, ...(message !== undefined && { message }) } } },
})
const crashed = {
  ...waiting('CrashLoopBackOff'),
  lastState: { terminated: { exitCode: 1, finishedAt: finished } },
}

function pod(...containerStatuses: readonly object[]): KubeObject {
  return {
    metadata: { name: 'p', namespace: 'n', uid: 'u' },
    spec: { containers: [{ name, image: 'shop:2' }] },
    status: { containerStatuses },
  }
}

const said = (before: KubeObject, now: object) =>
  podEvents(before, { containerStatuses: [now] }).map(({ type, reason }) => `${type} ${reason}`)

describe('what a kubelet says', () => {
  it('tells how a container comes up, once', () => {
    const coming = waiting('ContainerCreating')
    assert.deepEqual(said(pod(), coming), ['Normal Pulling'])
    const up = ['Normal Pulled', 'Normal Created', 'Normal Started']
    assert.deepEqual(said(pod(coming), running), up)
    assert.deepEqual(said(pod(running), running), [])
  })

  it('tells each crash, with the words that tools look for', () => {
    assert.deepEqual(said(pod(running), crashed), ['Warning BackOff'])
    assert.deepEqual(said(pod(crashed), crashed), [])
    const [event] = podEvents(pod(running), { containerStatuses: [crashed] })
    assert.equal(event?.message, 'Back-off restarting failed container web in pod p_n(u)')
    assert.equal(event?.fieldPath, 'spec.containers{web}')
  })

  it('tells what cannot be pulled or is missing', () => {
    const refused = waiting('ErrImagePull', 'not found')
    assert.deepEqual(said(pod(), refused), ['Normal Pulling', 'Warning Failed', 'Warning Failed'])
    const backOff = waiting('ImagePullBackOff', 'Back-off pulling image "shop:2"')
    assert.deepEqual(said(pod(refused), backOff), ['Normal BackOff', 'Warning Failed'])
    const missing = waiting('CreateContainerConfigError', 'configmap "c" not found')
    assert.deepEqual(said(pod(missing), missing), [])
    assert.equal(
      podEvents(pod(waiting('ContainerCreating')), { containerStatuses: [missing] }).at(-1)
        ?.message,
      'Error: configmap "c" not found',
    )
  })
})

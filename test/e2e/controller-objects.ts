import type { KubeObject } from '@jackstay/kube/resources'

// What the lab's controllers and the real ones are given.

export const template = (app: string, image = 'registry.example/x:1', pod: object = {}) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'c', image }], terminationGracePeriodSeconds: 0, ...pod },
})

export function workload(kind: string, app: string, replicas: number, spec: object = {}) {
  const selector = { matchLabels: { app } }
  const own = { replicas, selector, template: template(app), ...spec }
  return { apiVersion: 'apps/v1', kind, metadata: { name: app }, spec: own }
}

export function job(name: string, spec: object = {}) {
  const never = template(name, undefined, { restartPolicy: 'Never' })
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: never, ...spec },
  }
}

export const images = (pod: KubeObject) => {
  const { metadata, spec } = pod as KubeObject & { spec: { containers: { image: string }[] } }
  return { name: metadata.name, image: spec.containers[0]?.image, labels: metadata.labels }
}

import { imageNames } from '@jackstay/cluster/test-images'
import type { Manifest } from './governed.ts'

export interface RealDeployment {
  readonly namespace: string
  readonly name: string
  readonly replicas?: number
  /** Fields of its one container, `app`. */
  readonly container?: Manifest
  /** Fields of the Deployment's `spec`. */
  readonly spec?: Manifest
}

/** A Deployment whose Pods really run, and end at once when told to. */
export function realDeployment(options: RealDeployment): Manifest {
  const { namespace, name, replicas = 1, container = {}, spec = {} } = options
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      ...{ replicas, selector: { matchLabels: { app: name } }, ...spec },
      template: { metadata: { labels: { app: name } }, spec: realPod(container) },
    },
  }
}

/** What the Pods of `realDeployment` are made of. */
export function realPod(container: Manifest = {}): Manifest {
  return {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        ...{ name: 'app', image: imageNames.app1, imagePullPolicy: 'IfNotPresent' },
        readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
        ...container,
      },
    ],
  }
}

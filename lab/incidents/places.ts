import { labNamespace } from '../kubernetes/node/declared.ts'
import { imagesConfigMap } from '../world/images.ts'
import type { Container, Workload } from '../world/manifests.ts'
import type { Alert, Asking, Change, Place } from './incident.ts'

const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' }

export function placeOfWorkload({ namespace, name }: Workload): Place {
  return { ...deployments, namespace, name }
}

export function place(
  kind: 'Service' | 'ConfigMap' | 'ResourceQuota' | 'HorizontalPodAutoscaler',
  namespace: string,
  name: string,
): Place {
  const apiVersion = kind === 'HorizontalPodAutoscaler' ? 'autoscaling/v2' : 'v1'
  return { apiVersion, kind, resource: `${kind.toLowerCase()}s`, namespace, name }
}

export function nodePlace(name: string): Place {
  return { apiVersion: 'v1', kind: 'Node', resource: 'nodes', name }
}

/** Changes what a Deployment runs, which makes a new revision of it. */
export function runs(workload: Workload, change: Partial<Container>): Change {
  return {
    patch: placeOfWorkload(workload),
    with: { spec: { template: { spec: { containers: [{ ...workload.container, ...change }] } } } },
  }
}

export function scaled(workload: Workload, replicas: number): Change {
  return { patch: placeOfWorkload(workload), with: { spec: { replicas } } }
}

/** A Deployment as the world has it. */
export function asBefore(workload: Workload): readonly Change[] {
  const restartedAt = { 'kubectl.kubernetes.io/restartedAt': null }
  const template = {
    metadata: { annotations: restartedAt },
    spec: { containers: [workload.container] },
  }
  const replicas = workload.autoscaled === true ? {} : { replicas: workload.replicas }
  return [
    {
      patch: placeOfWorkload(workload),
      with: { spec: { ...replicas, paused: false, template } },
    },
  ]
}

/** What an agent asks for about a Deployment. */
export function asks(workload: Workload, action: string, params: Asking['params'] = {}): Asking {
  const { resource: _, ...target } = placeOfWorkload(workload)
  return { action, target, params }
}

/** As a rule of Prometheus sends it that looks at Deployments. */
export function deploymentAlert(
  workload: Workload,
  alertname: string,
  summary: string,
  severity = 'page',
): Alert {
  const { namespace, name: deployment } = workload
  return { labels: { alertname, severity, namespace, deployment }, annotations: { summary } }
}

/** Declares what the images of a namespace do. */
export function imagesDo(namespace: string, table: string): Change {
  const patch = place('ConfigMap', labNamespace, imagesConfigMap)
  return { patch, with: { data: { [namespace]: table } } }
}

import { deploymentOf, type Manifest } from './governed.ts'

/** One object of each kind that actions write, named `api`, of which nothing ever runs. */
export function quietTarget(resource: string, namespace: string): Manifest {
  const { metadata, spec } = deploymentOf(namespace, 'api', 0)
  const { selector, template } = Object(spec)
  const apps = { apiVersion: 'apps/v1', metadata }
  const targets: Readonly<Record<string, Manifest>> = {
    deployments: deploymentOf(namespace, 'api', 1),
    statefulsets: {
      ...{ ...apps, kind: 'StatefulSet' },
      spec: { replicas: 0, serviceName: 'api', selector, template },
    },
    daemonsets: {
      ...{ ...apps, kind: 'DaemonSet' },
      spec: { selector, template: { ...template, spec: onNoNode(template.spec) } },
    },
    horizontalpodautoscalers: {
      ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nobody' },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
          },
        ],
      },
    },
    cronjobs: {
      ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata },
      spec: {
        schedule: '0 0 1 1 *',
        suspend: true,
        jobTemplate: {
          spec: {
            template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } },
          },
        },
      },
    },
  }
  const found = targets[resource]
  if (found === undefined) throw new Error(`test/e2e/targets.ts knows no ${resource}`)
  return found
}

function onNoNode(spec: Manifest): Manifest {
  return { ...spec, nodeSelector: { 'example.org/none': 'yes' } }
}

/** A Deployment with something of everything in its template, of which nothing runs. */
export function busyDeployment(namespace: string, name: string): Manifest {
  const base = deploymentOf(namespace, name, 0)
  const { selector, template } = Object(base.spec)
  const none = { imagePullPolicy: 'Never' }
  const mounts = [
    { name: 'config', mountPath: '/config' },
    { name: 'keys', mountPath: '/keys' },
  ]
  const secret = { secretKeyRef: { name: 'keys', key: 'token' } }
  const env = [
    { name: 'A', value: '1' },
    { name: 'TOKEN', valueFrom: secret },
  ]
  const app = { name: 'app', image: 'app:1', env, volumeMounts: mounts, ...none }
  const limits = { memory: '64Mi' }
  return {
    ...base,
    spec: {
      replicas: 0,
      selector,
      template: {
        metadata: { ...template.metadata, annotations: { 'example.org/kept': 'yes' } },
        spec: {
          initContainers: [{ name: 'init', image: 'init:1', ...none }],
          containers: [
            { ...app, resources: { limits } },
            { name: 'side', image: 'side:1', ports: [{ containerPort: 80 }], ...none },
          ],
          volumes: [
            { name: 'config', configMap: { name: 'config' } },
            { name: 'keys', secret: { secretName: 'keys' } },
          ],
        },
      },
    },
  }
}

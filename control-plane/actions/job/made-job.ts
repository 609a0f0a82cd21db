import { madeLabels } from '@jackstay/contract/executor'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { any, atLeast, atMost, each, fields, must, oneOf, some } from './made-field.ts'

/** A Pod with this gate, which nobody opens, takes no traffic of a Service that its labels fit. */
export const servesNothing = 'jackstay.dev/serves-nothing'
/** A finished Job is there this long at least: to be verified, and found where an answer was lost. */
export const keptSeconds = 3600

const seccompProfile = fields({ type: oneOf('RuntimeDefault') })
const runAs = any('runAsUser', 'runAsGroup', 'runAsNonRoot')

// no probe and no lifecycle hook: a kubelet would send their requests, from the node, to any host
const container = fields({
  ...any('name', 'image', 'imagePullPolicy', 'command', 'args', 'workingDir'),
  ...any('terminationMessagePath', 'terminationMessagePolicy'),
  resources: fields(any('limits', 'requests')),
  ports: each(fields(any('name', 'containerPort', 'protocol'))),
  env: each(
    fields({
      ...any('name', 'value'),
      valueFrom: fields(any('configMapKeyRef', 'fieldRef', 'resourceFieldRef')),
    }),
  ),
  envFrom: each(fields(any('prefix', 'configMapRef'))),
  volumeMounts: each(
    fields(any('name', 'mountPath', 'subPath', 'subPathExpr', 'readOnly', 'recursiveReadOnly')),
  ),
  securityContext: fields({
    ...{ ...runAs, ...any('readOnlyRootFilesystem'), seccompProfile },
    allowPrivilegeEscalation: oneOf(false),
    privileged: oneOf(false),
    capabilities: fields(any('drop')),
  }),
})

const podSpec = fields({
  containers: each(container),
  volumes: each(fields(any('name', 'emptyDir', 'configMap', 'downwardAPI'))),
  ...any('restartPolicy', 'activeDeadlineSeconds', 'enableServiceLinks', 'shareProcessNamespace'),
  ...any('nodeSelector', 'affinity', 'topologySpreadConstraints'),
  // a registry gets the credentials that are for it; the Pod never sees them
  ...any('imagePullSecrets'),
  // nodes that are closed, not ready or of the control plane stay so
  tolerations: each(
    fields({
      key: { holds: 'notUnder', prefixes: ['node.kubernetes.io/', 'node-role.kubernetes.io/'] },
      ...any('operator', 'value', 'effect', 'tolerationSeconds'),
    }),
  ),
  terminationGracePeriodSeconds: atMost(600),
  dnsPolicy: oneOf('ClusterFirst', 'Default'),
  schedulerName: oneOf('default-scheduler'),
  serviceAccountName: oneOf('default'),
  serviceAccount: oneOf('default'),
  automountServiceAccountToken: must(false),
  hostUsers: oneOf(false),
  resources: fields(any('limits', 'requests')),
  readinessGates: some(fields({ conditionType: must(servesNothing) })),
  securityContext: fields({
    ...{ ...runAs, seccompProfile },
    ...any('fsGroup', 'fsGroupChangePolicy', 'supplementalGroups', 'supplementalGroupsPolicy'),
  }),
})

const podAnnotations = [
  'kubectl.kubernetes.io/default-container',
  'cluster-autoscaler.kubernetes.io/safe-to-evict',
]

/** A Job as an executor may make it: the action and admission both go by this. */
export const madeJob = {
  metadata: fields({
    ...any('name', 'namespace'),
    labels: fields(any(governedLabel, madeLabels.intent, madeLabels.retries)),
    // the API server's own
    ...any('uid', 'creationTimestamp', 'generation', 'managedFields', 'resourceVersion'),
  }),
  spec: fields({
    template: fields({
      metadata: fields({
        ...any('labels', 'creationTimestamp'),
        annotations: fields(any(...podAnnotations)),
      }),
      spec: podSpec,
    }),
    parallelism: atMost(16),
    completions: atMost(128),
    backoffLimit: atMost(16),
    backoffLimitPerIndex: atMost(16),
    maxFailedIndexes: atMost(128),
    ttlSecondsAfterFinished: atLeast(keptSeconds),
    manualSelector: oneOf(false),
    ...any('selector', 'suspend', 'activeDeadlineSeconds', 'completionMode'),
    ...any('podFailurePolicy', 'successPolicy', 'podReplacementPolicy'),
  }),
} as const

import { conditions, object, objectMeta } from './metadata.ts'
import {
  atomic,
  atomicTexts,
  fields,
  keyed,
  keyedForApply,
  keyedForPatch,
  list,
  type Shape,
  set,
} from './shape.ts'

const secretRef = fields({ secretRef: atomic })

/** Ports are told apart by two keys, and a patch goes by the first alone. */
export function ports(key: string): Shape {
  return {
    ...keyedForApply([key, 'protocol']),
    keyDefaults: { [key]: 0, protocol: 'TCP' },
    patch: 'merge',
    patchMergeKey: key,
  }
}

const envSource = fields({
  configMapKeyRef: atomic,
  fieldRef: atomic,
  fileKeyRef: atomic,
  resourceFieldRef: atomic,
  secretKeyRef: atomic,
})

const resources = fields({ claims: keyedForApply(['name']) })

const container: Shape = fields(
  {
    env: keyed('name', fields({ valueFrom: envSource })),
    ports: ports('containerPort'),
    resources,
    restartPolicyRules: list(fields({ exitCodes: fields({ values: set }) })),
    volumeDevices: keyed('devicePath'),
    volumeMounts: keyed('mountPath', fields({ bindMountOptions: set })),
  },
  { resources: {} },
)

const containerStatus = fields({
  allocatedResourcesStatus: keyed('name', fields({ resources: keyedForApply(['resourceID']) })),
  resources,
  volumeMounts: keyed('mountPath'),
})

const downwardItems = list(fields({ fieldRef: atomic, resourceFieldRef: atomic }))

export const claimSpec: Shape = fields(
  { dataSource: atomic, resources: fields({}), selector: atomic },
  { resources: {} },
)

const volume: Shape = fields({
  cephfs: secretRef,
  cinder: secretRef,
  csi: fields({ nodePublishSecretRef: atomic }),
  downwardAPI: fields({ items: downwardItems }),
  ephemeral: fields({
    volumeClaimTemplate: fields(
      { metadata: objectMeta, spec: claimSpec },
      { metadata: {}, spec: {} },
    ),
  }),
  flexVolume: secretRef,
  iscsi: secretRef,
  projected: fields({
    sources: list(
      fields({
        clusterTrustBundle: fields({ labelSelector: atomic }),
        downwardAPI: fields({ items: downwardItems }),
      }),
    ),
  }),
  rbd: secretRef,
  scaleIO: secretRef,
  storageos: secretRef,
})

const podAffinityTerm = fields({ labelSelector: atomic, namespaceSelector: atomic })
const podAffinity = fields({
  preferredDuringSchedulingIgnoredDuringExecution: list(
    fields({ podAffinityTerm }, { podAffinityTerm: {} }),
  ),
  requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTerm),
})

export const podSpec: Shape = fields(
  {
    affinity: fields({
      nodeAffinity: fields({
        preferredDuringSchedulingIgnoredDuringExecution: list(
          fields({ preference: atomic }, { preference: {} }),
        ),
        requiredDuringSchedulingIgnoredDuringExecution: atomic,
      }),
      podAffinity,
      podAntiAffinity: podAffinity,
    }),
    containers: keyed('name', container),
    ephemeralContainers: keyed('name', container),
    evictionResponders: keyed('name', atomic),
    hostAliases: keyed('ip'),
    imagePullSecrets: keyed('name', atomic),
    initContainers: keyed('name', container),
    nodeSelector: atomicTexts,
    resourceClaims: { ...keyed('name'), retainKeys: true },
    resources,
    schedulingGates: keyed('name'),
    topologySpreadConstraints: {
      ...keyedForApply(['topologyKey', 'whenUnsatisfiable'], fields({ labelSelector: atomic })),
      patch: 'merge',
      patchMergeKey: 'topologyKey',
    },
    volumes: { ...keyed('name', volume), retainKeys: true },
  },
  { containers: null },
)

const health: Shape = {
  ...keyedForApply(['status', 'reason']),
  patch: 'merge',
  patchMergeKey: 'status',
}

/** Of a claim too. */
export const healthStatus: Shape = fields({ healthConditions: health })

const nodeAllocatable = fields({
  containers: set,
  mapping: keyed('name'),
  overhead: keyed('name'),
})

export const pod: Shape = object(
  {
    spec: podSpec,
    status: fields({
      conditions,
      containerStatuses: list(containerStatus),
      ephemeralContainerStatuses: list(containerStatus),
      hostIPs: keyedForPatch('ip'),
      initContainerStatuses: list(containerStatus),
      nodeAllocatableResourceClaimStatuses: keyed('resourceClaimName', nodeAllocatable),
      podIPs: keyed('ip'),
      resourceClaimStatuses: { ...keyed('name'), retainKeys: true },
      resources,
      volumeHealth: keyedForApply(['name'], healthStatus),
    }),
  },
  { spec: {}, status: {} },
)

export const podTemplate: Shape = object({ spec: podSpec }, { spec: {} })

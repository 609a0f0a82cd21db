import { conditions, object, statusWithConditions } from './metadata.ts'
import { claimSpec, healthStatus, ports } from './pod.ts'
import { atomic, atomicTexts, fields, keyed, list, type Shape, set, texts } from './shape.ts'

const specAndStatus = { spec: {}, status: {} }

export const configMap: Shape = object({ data: texts, binaryData: texts })
export const secret: Shape = object({ data: texts, stringData: texts })

export const namespace: Shape = object({ status: statusWithConditions }, specAndStatus)

export const service: Shape = object(
  {
    spec: fields({ ports: ports('port'), selector: atomicTexts }),
    status: fields({ conditions }, { loadBalancer: {} }),
  },
  specAndStatus,
)

export const serviceAccount: Shape = object({
  imagePullSecrets: list(atomic),
  secrets: keyed('name', atomic),
})

export const node: Shape = object(
  {
    spec: fields({
      podCIDRs: { ...set, patch: 'merge' },
      podPreemptionPolicy: fields({ disableResizePreemption: set }),
    }),
    status: fields({ addresses: keyed('type'), conditions }),
  },
  specAndStatus,
)

export const event: Shape = object(
  { involvedObject: atomic, related: atomic },
  {
    ...{ involvedObject: {}, source: {}, firstTimestamp: null, lastTimestamp: null },
    ...{ eventTime: null, reportingComponent: '', reportingInstance: '' },
  },
)

/** The same objects in their newer group. */
export const newEvent: Shape = object(
  { regarding: atomic, related: atomic },
  {
    ...{ eventTime: null, regarding: {}, deprecatedSource: {} },
    ...{ deprecatedFirstTimestamp: null, deprecatedLastTimestamp: null },
  },
)

export const resourceQuota: Shape = object(
  { spec: fields({ scopeSelector: atomic }) },
  specAndStatus,
)

export const persistentVolumeClaim: Shape = object(
  { spec: claimSpec, status: fields({ conditions, healthStatus }) },
  specAndStatus,
)

const addresses = list({ ...atomic, fields: { targetRef: atomic } })

export const endpoints: Shape = object({
  subsets: list(fields({ addresses, notReadyAddresses: addresses, ports: list(atomic) })),
})

export const endpointSlice: Shape = object(
  {
    endpoints: list(fields({ addresses: set, targetRef: atomic })),
    ports: list(atomic),
  },
  { addressType: '', endpoints: null, ports: null },
)

export const limitRange: Shape = object({}, { spec: { limits: null } })
export const priorityClass: Shape = object({}, { value: 0 })
export const lease: Shape = object({}, { spec: {} })

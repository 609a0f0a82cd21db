import { createHash } from 'node:crypto'
import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { listAt, mapAt } from './columns.ts'
import { given } from './defaults.ts'

/** What is given in plain text is kept as all the rest is. */
export function secret({ stringData, ...object }: KubeObject): KubeObject {
  const plain = Object.entries(isRecord(stringData) ? stringData : {}).map(([key, text]) => [
    key,
    Buffer.from(String(text)).toString('base64'),
  ])
  const data = { ...mapAt(object, 'data'), ...Object.fromEntries(plain) }
  return { type: 'Opaque', ...object, ...(Object.keys(data).length > 0 && { data }) }
}

/** Of a Service; its address is told by its name, for nobody routes to it. */
export function service(object: KubeObject): KubeObject {
  const filled = given(object.spec, { type: 'ClusterIP', sessionAffinity: 'None' })
  const ports = listAt(object, 'spec.ports')
    .filter(isRecord)
    .map((port) => ({ protocol: 'TCP', targetPort: port.port, ...port }))
  const listed = { ...filled, ...(ports.length > 0 && { ports }) }
  if (filled.type === 'ExternalName') return { ...object, spec: listed }
  const { namespace = '', name = '' } = object.metadata
  const clusterIP = filled.clusterIP ?? addressOf(`${namespace}/${name}`)
  const addressed = given(listed, {
    ...{ clusterIP, clusterIPs: [clusterIP], internalTrafficPolicy: 'Cluster' },
    ...{ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
  })
  return { ...object, spec: addressed }
}

function addressOf(key: string): string {
  const [third = 0, fourth = 0] = createHash('sha256').update(key).digest()
  return `10.96.${third}.${(fourth % 254) + 1}`
}

/** What a container may have at most it asks for, where nothing else is said. */
export function limitRange(object: KubeObject): KubeObject {
  const limits = listAt(object, 'spec.limits')
    .filter(isRecord)
    .map((item) => {
      if (item.type !== 'Container') return item
      const most = given(item.default, isRecord(item.max) ? item.max : {})
      const least = isRecord(item.min) ? item.min : {}
      const defaultRequest = given(item.defaultRequest, { ...most, ...least })
      return {
        ...item,
        ...(Object.keys(most).length > 0 && { default: most }),
        ...(Object.keys(defaultRequest).length > 0 && { defaultRequest }),
      }
    })
  return { ...object, spec: { ...mapAt(object, 'spec'), limits } }
}

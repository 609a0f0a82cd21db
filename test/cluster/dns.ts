import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createObject } from './api-request.ts'
import type { Layout } from './layout.ts'
import { startProgram } from './program.ts'
import { dnsServiceAddress } from './subnet.ts'

/**
 * Starts CoreDNS beside the node's other programs, behind the usual Service: as no Pod it needs no
 * image and answers before the first Pod asks.
 */
export async function startDns(layout: Layout, coredns: string): Promise<void> {
  await Promise.all(dnsObjects(layout).map(([path, object]) => createObject(layout, path, object)))
  const config = join(layout.directory, 'Corefile')
  await writeFile(config, corefile(layout))
  startProgram(layout.name, 'coredns', [coredns, '-conf', config])
}

function corefile({ apiAddress, kubeconfigOf }: Layout): string {
  return `.:53 {
  bind ${apiAddress}
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfigOf('coredns')} jackstay
    pods insecure
  }
  cache 5
}
`
}

const RBAC = 'rbac.authorization.k8s.io'

function dnsObjects({ apiAddress }: Layout): [path: string, object: unknown][] {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ]
  const names = (apiGroups: string[], resources: string[]) => ({
    ...{ apiGroups, resources },
    verbs: ['list', 'watch'],
  })
  const role = {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'system:coredns' },
    rules: [
      names([''], ['services', 'pods', 'namespaces']),
      names(['discovery.k8s.io'], ['endpointslices']),
    ],
  }
  const binding = {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'system:coredns' },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'system:coredns' },
    subjects: [{ apiGroup: RBAC, kind: 'User', name: 'system:coredns' }],
  }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace: 'kube-system' },
    spec: { clusterIP: dnsServiceAddress, ports },
  }
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'kube-dns-node',
      namespace: 'kube-system',
      labels: {
        'kubernetes.io/service-name': 'kube-dns',
        'endpointslice.kubernetes.io/managed-by': 'jackstay-test-cluster',
      },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [apiAddress], conditions: { ready: true } }],
    ports,
  }
  return [
    [`/apis/${RBAC}/v1/clusterroles`, role],
    [`/apis/${RBAC}/v1/clusterrolebindings`, binding],
    ['/api/v1/namespaces/kube-system/services', service],
    ['/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices', slice],
  ]
}

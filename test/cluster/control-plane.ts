import { join } from 'node:path'
import type { Layout } from './layout.ts'
import { podNetwork, serviceNetwork } from './subnet.ts'

/*
 * The arguments of the control plane's programs. Paths are absolute: a command run inside a cluster's
 * namespaces starts in another working directory.
 */

export function etcdArguments({ pki, directory, name, ports }: Layout): string[] {
  const client = `https://127.0.0.1:${ports.etcd}`
  const peer = `http://127.0.0.1:${ports.etcdPeer}`
  return [
    `--name=${name}`,
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=${name}=${peer}`,
    `--cert-file=${pki('etcd.crt')}`,
    `--key-file=${pki('etcd.key')}`,
    `--trusted-ca-file=${pki('etcd-ca.crt')}`,
    '--client-cert-auth',
    // what a test writes need not survive a power cut
    '--unsafe-no-fsync',
    '--quota-backend-bytes=4294967296',
    '--log-level=warn',
  ]
}

export function apiServerArguments(layout: Layout, extra: readonly string[]): string[] {
  const { pki, directory, ports, apiAddress, auditLog, mode } = layout
  return [
    ...(mode === 'node'
      ? ['--bind-address=0.0.0.0', `--advertise-address=${apiAddress}`]
      : // a Service cannot have a loopback address behind it, so none is published
        [
          '--bind-address=127.0.0.1',
          '--advertise-address=127.0.0.1',
          '--endpoint-reconciler-type=none',
        ]),
    `--secure-port=${ports.api}`,
    `--etcd-servers=https://127.0.0.1:${ports.etcd}`,
    `--etcd-cafile=${pki('etcd-ca.crt')}`,
    `--etcd-certfile=${pki('apiserver-etcd.crt')}`,
    `--etcd-keyfile=${pki('apiserver-etcd.key')}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    ...kubeletAccess(layout),
    ...aggregation(layout),
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-signing-key-file=${pki('service-account.key')}`,
    `--service-account-key-file=${pki('service-account.pub')}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--service-cluster-ip-range=${serviceNetwork}`,
    '--allow-privileged=true',
    `--audit-policy-file=${join(directory, 'audit-policy.yaml')}`,
    `--audit-log-path=${auditLog}`,
    '--audit-log-maxsize=50',
    '--audit-log-maxbackup=2',
    '--profiling=false',
    // last, so that a test's flags win
    ...extra,
  ]
}

function kubeletAccess({ pki }: Layout): string[] {
  return [
    `--kubelet-certificate-authority=${pki('ca.crt')}`,
    `--kubelet-client-certificate=${pki('apiserver-kubelet.crt')}`,
    `--kubelet-client-key=${pki('apiserver-kubelet.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
  ]
}

function aggregation({ pki }: Layout): string[] {
  return [
    `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
    `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
  ]
}

export function controllerManagerArguments(layout: Layout): string[] {
  const { pki, ports } = layout
  return [
    ...ownAccess(layout, 'controller-manager', ports.controllerManager),
    `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--service-account-private-key-file=${pki('service-account.key')}`,
    '--use-service-account-credentials',
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
    '--allocate-node-cidrs=true',
    `--cluster-cidr=${podNetwork}`,
    `--service-cluster-ip-range=${serviceNetwork}`,
    // the defaults of the autoscaler are longer than a test should last
    '--horizontal-pod-autoscaler-sync-period=5s',
    '--horizontal-pod-autoscaler-cpu-initialization-period=20s',
    '--horizontal-pod-autoscaler-initial-readiness-delay=5s',
  ]
}

export function schedulerArguments(layout: Layout): string[] {
  return ownAccess(layout, 'scheduler', layout.ports.scheduler)
}

function ownAccess(
  { pki, kubeconfigOf }: Layout,
  name: 'controller-manager' | 'scheduler',
  port: number,
): string[] {
  const kubeconfig = kubeconfigOf(name)
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${pki(`${name}.crt`)}`,
    `--tls-private-key-file=${pki(`${name}.key`)}`,
    `--client-ca-file=${pki('ca.crt')}`,
    '--leader-elect=false',
    // the default of 20 requests a second makes the start of a cluster four seconds longer
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ]
}

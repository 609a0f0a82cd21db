import { join } from 'node:path'
import { stringify } from 'yaml'
import type { NodeTools } from './debian.ts'
import type { Layout } from './layout.ts'
import { dnsServiceAddress, nodePodNetwork, podNetwork } from './subnet.ts'

/** One bridge for all Pods of the node. */
export function cniConfig(): string {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    isDefaultGateway: true,
    ipMasq: true,
    hairpinMode: true,
    ipam: { type: 'host-local', ranges: [[{ subnet: nodePodNetwork }]] },
  }
  const portmap = { type: 'portmap', capabilities: { portMappings: true } }
  return JSON.stringify({ cniVersion: '0.4.0', name: 'jackstay', plugins: [bridge, portmap] })
}

export function containerdConfig(directory: string, socket: string, tools: NodeTools): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${join(directory, 'containerd')}"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "${socket}"
# its default is a folder of the host
[plugins."io.containerd.internal.v1.opt"]
  path = "${join(directory, 'containerd-opt')}"
[${cri}]
  sandbox_image = "jackstay.local/pause:1"
  # a container on this machine may lack the right to lower the score of a process
  restrict_oom_score_adj = true
[${cri}.cni]
  bin_dir = "${tools.cniPlugins}"
  conf_dir = "${join(directory, 'cni')}"
[${cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  BinaryName = "${tools.runc}"
  SystemdCgroup = false
`
}

export function kubeletConfig(layout: Layout, controlGroup: string, socket: string): string {
  const { pki, directory, apiAddress } = layout
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    // version 1 of control groups still works and is what some machines have
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${controlGroup}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: ['pods'],
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${socket}`,
    address: apiAddress,
    tlsCertFile: pki('kubelet-server.crt'),
    tlsPrivateKeyFile: pki('kubelet-server.key'),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    clusterDomain: 'cluster.local',
    clusterDNS: [dnsServiceAddress],
    resolvConf: join(directory, 'resolv.conf'),
    // its default is a folder of the host
    volumePluginDir: join(directory, 'volume-plugins'),
    seccompDefault: true,
    maxPods: 60,
    // an image that is collected cannot be had again: there is no registry
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '200Mi',
      'nodefs.available': '2%',
      'imagefs.available': '2%',
      'nodefs.inodesFree': '1%',
    },
    nodeStatusUpdateFrequency: '5s',
    syncFrequency: '10s',
    shutdownGracePeriod: '0s',
    serializeImagePulls: false,
  })
}

export function proxyConfig({ nodeName, kubeconfigOf }: Layout): string {
  return stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clusterCIDR: podNetwork,
    hostnameOverride: nodeName,
    clientConnection: { kubeconfig: kubeconfigOf('kube-proxy') },
    // these would change settings of the whole machine
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
  })
}

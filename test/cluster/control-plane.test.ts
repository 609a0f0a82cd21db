import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { apiServerArguments, etcdArguments } from './control-plane.ts'
import { type Layout, layoutOf } from './layout.ts'
import { cniConfig, containerdConfig, kubeletConfig, proxyConfig } from './node-config.ts'

const ports = { api: 6443, etcd: 2379, etcdPeer: 2380, controllerManager: 1, scheduler: 2 }
const holder = { pid: 1, startTime: '1' }
const node = { index: 7, holder, ctr: '/ctr', environment: {} }

const onHost = layoutOf({ name: 'one', mode: 'control-plane', ports, node: undefined })
const withNode = layoutOf({ name: 'two', mode: 'node', ports, node })

const pathsOf = (texts: readonly string[]) =>
  texts
    .flatMap((text) => text.split('=').slice(1))
    .filter((value) => /\.(crt|key|pub)$/.test(value))

test('on the host everything listens on the loopback only', () => {
  const flags = [...apiServerArguments(onHost, []), ...etcdArguments(onHost)]
  assert.ok(flags.includes('--bind-address=127.0.0.1'))
  assert.ok(!flags.some((flag) => flag.includes('0.0.0.0')))
})

test('with a node the API server is reached at the node', () => {
  assert.equal(withNode.server, 'https://10.99.7.2:6443')
  assert.ok(apiServerArguments(withNode, []).includes('--advertise-address=10.99.7.2'))
})

test('nodes and users are told apart, and the flags of a test come last', () => {
  const flags = apiServerArguments(onHost, ['--v=4'])
  assert.ok(flags.includes('--authorization-mode=Node,RBAC'))
  assert.ok(flags.includes('--enable-admission-plugins=NodeRestriction'))
  assert.equal(flags.at(-1), '--v=4')
})

test('every path is absolute and of this cluster', () => {
  const check = (layout: Layout) => {
    for (const path of pathsOf([...apiServerArguments(layout, []), ...etcdArguments(layout)])) {
      assert.ok(path.startsWith(`${layout.directory}/`), path)
    }
  }
  check(onHost)
  check(withNode)
})

test('the configuration of a node writes to no folder of the host', () => {
  const tools = { containerd: '', ctr: '', runc: '/r', cniPlugins: '/c', environment: {} }
  const socket = '/run/containerd/containerd.sock'
  const kubelet = parse(kubeletConfig(withNode, 'jackstay-x', socket))
  assert.equal(kubelet.cgroupRoot, '/jackstay-x')
  assert.equal(kubelet.authentication.anonymous.enabled, false)
  assert.ok(kubelet.volumePluginDir.startsWith(withNode.directory))
  const containerd = containerdConfig(withNode.directory, socket, tools)
  assert.ok(containerd.includes(`root = "${withNode.directory}/containerd"`))
  assert.ok(containerd.includes(`path = "${withNode.directory}/containerd-opt"`))
  assert.deepEqual(parse(proxyConfig(withNode)).conntrack.min, 0)
  assert.equal(JSON.parse(cniConfig()).plugins[0].ipam.ranges[0][0].subnet, '10.244.0.0/24')
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { availability, type Cluster } from './cluster.ts'
import { type Traces, tracesOf } from './leftovers.ts'
import { outcomeOf, run } from './process.ts'
import { eventually, killedOwnerLeavesNothing, kubectl, stateOf, upTwice } from './self-test.ts'
import { imageNames } from './test-images.ts'
import { unlessCi } from './unless-ci.ts'

const { source, node, missing } = await availability()
const wanting = missing.map(({ what }) => what).join(', ')
const needed = unlessCi(
  source === 'build' && node ? undefined : `no node of our own can be had here: ${wanting}`,
)

const TIMEOUT = { timeout: 900_000 }
const JSONPATH = 'jsonpath={.status.availableReplicas}'

const restricted = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'web',
      image: imageNames.app1,
      readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    },
  ],
}

describe('a cluster with a node', { ...needed, ...TIMEOUT }, () => {
  let cluster: Cluster
  let traces: Traces
  before(async () => {
    cluster = await upTwice('node')
    traces = tracesOf(stateOf(cluster.name))
    const image = `--image=${imageNames.app1}`
    await kubectl(cluster, 'create', 'deployment', 'web', image, '--replicas=2')
    await kubectl(cluster, 'expose', 'deployment', 'web', '--port=80', '--target-port=8080')
  }, TIMEOUT)
  after(() => cluster?.down())

  const get = (url: string) =>
    kubectl(cluster, 'exec', 'deployment/web', '--', 'node', '/app/get.js', url)

  test('a Deployment becomes ready, is updated, and rolled back', async () => {
    const rolledOut = () =>
      kubectl(cluster, 'rollout', 'status', 'deployment/web', '--timeout=120s')
    await rolledOut()
    await kubectl(cluster, 'set', 'image', 'deployment/web', `app=${imageNames.app2}`)
    await rolledOut()
    assert.match(await eventually(() => get('http://web/'), /^v2 /), /^v2 /)
    await kubectl(cluster, 'rollout', 'undo', 'deployment/web')
    await rolledOut()
    assert.match(await eventually(() => get('http://web/'), /^v1 /), /^v1 /)
  })

  test('a Service is found by its name from a Pod', async () => {
    const url = 'http://web.default.svc.cluster.local/'
    assert.match(await eventually(() => get(url), /^v1 web-/), /^v1 web-/)
  })

  test('a Deployment is scaled to zero and back', async () => {
    const available = () => kubectl(cluster, 'get', 'deployment/web', '--output', JSONPATH)
    await kubectl(cluster, 'scale', 'deployment/web', '--replicas=0')
    const names = () => kubectl(cluster, 'get', 'pods', '--output', 'name')
    await eventually(names, /^$/)
    await kubectl(cluster, 'scale', 'deployment/web', '--replicas=2')
    await eventually(available, /^2$/)
  })

  test('a Pod runs under the strictest Pod Security level', async () => {
    const level = 'pod-security.kubernetes.io/enforce=restricted'
    await kubectl(cluster, 'create', 'namespace', 'strict')
    await kubectl(cluster, 'label', 'namespace', 'strict', level)
    const overrides = `--overrides=${JSON.stringify({ spec: restricted })}`
    const image = `--image=${imageNames.app1}`
    await kubectl(cluster, 'run', 'web', '--namespace=strict', image, overrides)
    await kubectl(cluster, 'wait', '--namespace=strict', '--for=condition=Ready', 'pod/web')
    const write = ['exec', '--namespace=strict', 'web', '--', 'sh', '-c', 'echo > /app/x']
    await assert.rejects(kubectl(cluster, ...write), /Read-only file system/)
  })

  test('logs and exec work', async () => {
    assert.match(await kubectl(cluster, 'logs', 'deployment/web'), /"message":"listening"/)
    const id = await kubectl(cluster, 'exec', 'deployment/web', '--', 'id')
    assert.match(id, /uid=10001/)
    const failing = ['exec', 'deployment/web', '--', 'sh', '-c', 'exit 7']
    const argv = [cluster.kubectl, '--kubeconfig', cluster.kubeconfig, ...failing]
    assert.equal((await outcomeOf(argv)).code, 7)
  })

  test('a command can be run inside its namespaces', async () => {
    assert.match(await run(cluster.enter(['ip', 'address'])), /cni0/)
  })

  test('another one beside it dies with its owner and leaves nothing', async () => {
    await killedOwnerLeavesNothing('node')
    assert.match(await kubectl(cluster, 'get', 'nodes'), /\bReady\b/)
  })

  test('nothing is left after it is taken down', async () => {
    await cluster.down()
    assert.deepEqual(await traces(), [])
  })
})

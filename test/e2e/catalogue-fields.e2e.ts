import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Json } from '@jackstay/contract/json'
import { isRecord } from '@jackstay/kube/resources'
import { attempt, passed, refusedBy } from './attempt.ts'
import { apply, type Governed, governed, read } from './governed.ts'
import { busyDeployment } from './targets.ts'
import { noCluster, type World, world } from './world.ts'

type Map = { readonly [key: string]: Json }

/*
 * What each action may change, and what it may not, inside the templates of workloads. The executor has
 * every right there is, so the policies alone stand in the way.
 */
describe('executors in the name of an action that changes a template', {
  skip: await noCluster(),
}, () => {
  let w: World
  let g: Governed
  let template: { readonly metadata: Map; readonly spec: Map & { readonly containers: Map[] } }
  before(async () => {
    w = await world()
    g = await governed(w)
    await apply(w, [busyDeployment(g.target, 'busy')])
    const { spec } = await read(w.admin, g.path(g.target, 'busy'))
    assert.ok(isRecord(spec) && isRecord(spec.template))
    template = spec.template as typeof template
  })

  const write = (action: string, body: Map) => {
    const username = `system:serviceaccount:jackstay-executors:${g.class}`
    const extra = { ...g.extra, 'jackstay.dev/action': [action] }
    const as = w.admin.as({ username, groups: ['system:masters'], extra })
    return g.patch(body, { as, dryRun: true, deployment: g.path(g.target, 'busy') })
  }
  const pod = (spec: Map, metadata: Map = {}) => ({ spec: { template: { metadata, spec } } })
  const annotations = (value: Map) => pod({}, { annotations: value })
  /** The list of containers with fields of one changed; undefined takes a field away. */
  const containers = (change: { readonly [key: string]: Json | undefined }, which = 'app') =>
    pod({
      containers: template.spec.containers.map((one) => {
        if (one.name !== which) return one
        const entries = Object.entries({ ...one, ...change })
        return Object.fromEntries(entries.flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])))
      }) as Json,
    })

  const volumes = () => template.spec.volumes as readonly Json[]

  const restarted = { 'kubectl.kubernetes.io/restartedAt': '2026-01-02T03:04:05Z' }

  it('workload.restart: one annotation, and no other (T37, T44)', async () => {
    const action = 'workload.restart'
    passed(await write(action, annotations(restarted)))
    const byHand = { 'kubectl.kubernetes.io/restartedAt': '2026-01-02T03:04:05.123+02:00' }
    passed(await write(action, annotations(byHand)))
    const attacks: Record<string, Map> = {
      'another annotation': annotations({ 'example.org/other': 'now' }),
      'what is no time': annotations({ 'kubectl.kubernetes.io/restartedAt': 'sudo' }),
      'a time and more': annotations({
        'kubectl.kubernetes.io/restartedAt': '2026-01-02T03:04:05Z\nsudo',
      }),
      'one beside it': annotations({ ...restarted, 'example.org/other': 'now' }),
      'one gone': annotations({ ...restarted, 'example.org/kept': null }),
      'all gone': pod({}, { annotations: null }),
      'a label': pod({}, { labels: { more: 'yes' }, annotations: restarted }),
      'an image': containers({ image: 'other:1' }),
      'host process ids': pod({ hostPID: true }, { annotations: restarted }),
      'the replicas': { spec: { replicas: 3 } },
    }
    for (const [what, body] of Object.entries(attacks)) {
      const answer = await write(action, body)
      const policy = 'jackstay-executor-fields-workload-restart-deployments'
      assert.doesNotThrow(() => refusedBy(policy, answer), what)
    }
  })

  it('workload.setImage: images of containers that are there (T37, T44)', async () => {
    const action = 'workload.setImage'
    passed(await write(action, containers({ image: 'app:2' })))
    const more = { name: 'more', image: 'more:1' }
    const [first, ...others] = template.spec.containers
    const attacks: Record<string, Map> = {
      'a command': containers({ image: 'app:2', command: ['sh'] }),
      arguments: containers({ args: ['--fast'] }),
      'another variable': containers({ env: [{ name: 'A', value: '2' }] }),
      'variables gone': containers({ env: undefined }),
      privileged: containers({ securityContext: { privileged: true } }),
      limits: containers({ resources: {} }),
      'another name': containers({ name: 'renamed' }),
      'one container more': pod({ containers: [...template.spec.containers, more] }),
      'one container less': pod({ containers: [first as Json] }),
      'another order': pod({ containers: [...others, first as Json] }),
      'an image of an init container': pod({
        initContainers: [{ name: 'init', image: 'other:1' }],
      }),
      'host path': pod({
        volumes: [...volumes(), { name: 'root', hostPath: { path: '/' } }],
      }),
      'an annotation': annotations(restarted),
    }
    for (const [what, body] of Object.entries(attacks)) {
      const answer = await write(action, body)
      const policy = 'jackstay-executor-fields-workload-set-image-deployments'
      assert.doesNotThrow(() => refusedBy(policy, answer), what)
    }
  })

  it('workload.setResources: resources of containers that are there (T37, T44)', async () => {
    const action = 'workload.setResources'
    passed(await write(action, containers({ resources: { limits: { cpu: '1' } } })))
    passed(await write(action, containers({ resources: undefined })))
    for (const body of [
      containers({ image: 'other:1' }),
      containers({ resources: {}, securityContext: { privileged: true } }),
      pod({ resources: { limits: { cpu: '8' } } }),
    ]) {
      const answer = await write(action, body)
      const policy = 'jackstay-executor-fields-workload-set-resources-deployments'
      assert.doesNotThrow(() => refusedBy(policy, answer), JSON.stringify(body))
    }
  })

  it('workload.rollback: the template, but nothing that reaches the host or a credential (T37)', async () => {
    const action = 'workload.rollback'
    const policy = 'jackstay-executor-fields-workload-rollback-deployments'
    const [app] = template.spec.containers
    const env = app?.env as readonly Json[]
    const mounts = app?.volumeMounts as readonly Json[]
    const config = { name: 'config', configMap: { name: 'other' } }
    const [, keys] = volumes()
    const more = { name: 'more', image: 'more:1' }
    const harmless: Record<string, Map> = {
      'image, command and a variable': containers({
        ...{
          image: 'app:0',
          command: ['serve'],
          env: [{ name: 'B', value: '2' }, ...env.slice(1)],
        },
      }),
      'labels and annotations': pod({}, { labels: { version: '0' }, annotations: restarted }),
      'another ConfigMap': pod({ volumes: [config, keys as Json] }),
      'one container more': pod({ containers: [...template.spec.containers, more] }),
      'one container less': pod({ containers: [app as Json] }),
      placement: pod({ nodeSelector: { disk: 'fast' }, terminationGracePeriodSeconds: 5 }),
      'a toleration': pod({ tolerations: [{ key: 'example.org/gpu', operator: 'Exists' }] }),
      'an init container': pod({ initContainers: [{ name: 'init', image: 'init:1' }] }),
      'a probe of itself': containers({ readinessProbe: { httpGet: { port: 80, path: '/' } } }),
    }
    for (const [what, body] of Object.entries(harmless)) {
      const answer = await write(action, body)
      assert.doesNotThrow(() => passed(answer), what)
    }
    const volume = (one: Map) => pod({ volumes: [...volumes(), one as Json] })
    const beginning = (more: Map) =>
      pod({ initContainers: [{ name: 'init', image: 'init:1', ...more }] })
    const secret = { valueFrom: { secretKeyRef: { name: 'other', key: 'token' } } }
    const attacks: Record<string, Map> = {
      ...Object.fromEntries(
        ['hostPID', 'hostIPC', 'hostNetwork', 'shareProcessNamespace'].map((k) => [
          k,
          pod({ [k]: true }),
        ]),
      ),
      'a ServiceAccount': pod({ serviceAccountName: 'default-2' }),
      'a token': pod({ automountServiceAccountToken: true }),
      'a pull secret': pod({ imagePullSecrets: [{ name: 'registry' }] }),
      'a node': pod({ nodeName: 'node-1' }),
      'the user': pod({ securityContext: { runAsUser: 0 } }),
      privileged: containers({ securityContext: { privileged: true } }),
      capabilities: containers({ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }),
      'another secret in a variable': containers({
        env: [env[0] as Json, { name: 'TOKEN', ...secret }],
      }),
      'a secret in one more variable': containers({ env: [...env, { name: 'MORE', ...secret }] }),
      'no secret in a variable': containers({ env: env.slice(0, 1) }),
      'all of a secret': containers({ envFrom: [{ secretRef: { name: 'keys' } }] }),
      'host path': volume({ name: 'root', hostPath: { path: '/' } }),
      'one more secret': volume({ name: 'more', secret: { secretName: 'more' } }),
      'a projected token': volume({
        ...{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      }),
      'another secret': pod({
        volumes: [volumes()[0] as Json, { name: 'keys', secret: { secretName: 'other' } }],
      }),
      'a secret in another container': containers({ volumeMounts: [mounts[1] as Json] }, 'side'),
      'any node': pod({ tolerations: [{ operator: 'Exists' }] }),
      'nodes of the control plane': pod({
        tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }],
      }),
      'no profile': pod(
        {},
        { annotations: { 'container.apparmor.security.beta.kubernetes.io/app': 'unconfined' } },
      ),
      'a probe of another host': containers({
        livenessProbe: { httpGet: { port: 80, host: '169.254.169.254' } },
      }),
      'a hook to another host': containers(
        { lifecycle: { preStop: { httpGet: { port: 80, host: 'example.org' } } } },
        'side',
      ),
      'a port of the host': containers({ ports: [{ containerPort: 80, hostPort: 80 }] }, 'side'),
      'a privileged container more': pod({
        containers: [
          ...template.spec.containers,
          { ...more, securityContext: { privileged: true } },
        ],
      }),
      'a secret in an init container': beginning({ env: [{ name: 'T', ...secret }] }),
      'all of a secret in an init container': beginning({
        envFrom: [{ secretRef: { name: 'keys' } }],
      }),
      'a mounted secret in an init container': beginning({ volumeMounts: [mounts[1] as Json] }),
      'a port of the host in an init container': beginning({
        ports: [{ containerPort: 80, hostPort: 80 }],
      }),
      'a probe of another host in an init container': beginning({
        restartPolicy: 'Always',
        startupProbe: { tcpSocket: { port: 80, host: '169.254.169.254' } },
      }),
      'the replicas': { spec: { replicas: 3 } },
    }
    for (const [what, body] of Object.entries(attacks)) {
      const answer = await write(action, body)
      assert.doesNotThrow(() => refusedBy(policy, answer), what)
    }
  })

  it('and what each may is within the cost that the API server allows, with 250 containers', async () => {
    const one = (i: number) => ({ name: `c${i}`, image: 'app:1', env: [{ name: 'A', value: 'x' }] })
    const list = Array.from({ length: 250 }, (_, i) => one(i))
    const base = busyDeployment(g.target, 'large')
    const { spec } = base
    const large = {
      ...Object(spec),
      template: { ...Object(spec).template, spec: { containers: list } },
    }
    await apply(w, [{ ...base, spec: large }])
    const username = `system:serviceaccount:jackstay-executors:${g.class}`
    for (const [action, change] of [
      ['workload.setImage', { image: 'app:2' }],
      ['workload.setResources', { resources: { limits: { cpu: '1' } } }],
      ['workload.rollback', { image: 'app:0', args: ['x'] }],
    ] as const) {
      const extra = { ...g.extra, 'jackstay.dev/action': [action] }
      const as = w.admin.as({ username, groups: ['system:masters'], extra })
      const path = g.path(g.target, 'large')
      const { spec: now } = await read(w.admin, path)
      const { containers: all } = Object(now).template.spec
      const changed = all.map((c: Map, i: number) => (i === 249 ? { ...c, ...change } : c))
      const options = { as, dryRun: true, deployment: path }
      passed(await g.patch(pod({ containers: changed }), options))
    }
    passed(await attempt(w.admin, 'DELETE', g.path(g.target, 'large')))
  })
})

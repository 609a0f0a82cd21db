import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isMap, type JsonMap } from '@jackstay/contract/json'
import fc from 'fast-check'
import { isRefusal, type Observed } from '../action.ts'
import { mergePatch } from '../merge-patch.ts'
import { workloadRollback } from './rollback.ts'
import { heldChange } from './template-guard.ts'
import { planned, prepare, refusal, uid, workloadOf } from './workload-builder.ts'

const key = 'deployment.kubernetes.io/revision'

function revision(number: number, spec: object, owner = uid): Observed {
  return {
    metadata: {
      ...{ name: `web-${number}`, uid: `33333333-3333-4333-8333-33333333333${number}` },
      annotations: { [key]: String(number) },
      ownerReferences: [{ uid: owner, controller: true }],
    },
    spec: {
      template: { metadata: { labels: { app: 'web', 'pod-template-hash': `h${number}` } }, spec },
    },
  } as unknown as Observed
}

const app = (image: string, more: object = {}) => ({
  containers: [{ name: 'app', image, ...more }],
})
const now = app('app:3')
const current = (spec: object = now) =>
  workloadOf({ metadata: { annotations: { [key]: '3' } }, template: { spec } })
const revisions = [revision(1, app('app:1')), revision(2, app('app:2')), revision(3, now)]
const kept = (...more: Observed[]) => ({ ReplicaSet: [...revisions, ...more] })

describe('workload.rollback', () => {
  const image = async (params: object) => {
    const { writes } = await planned(workloadRollback, params, current(), kept())
    return writes.map((write) => write.verb === 'patch' && write.body)
  }

  it('takes the previous revision or the named one, without the hash', async () => {
    const patch = (name: string) => [{ spec: { template: { spec: app(name) } } }]
    assert.deepEqual(await image({}), patch('app:2'))
    assert.deepEqual(await image({ revision: 1 }), patch('app:1'))
  })

  it('refuses a revision that is not kept, is now, or is another Deployment’s', async () => {
    const asked = (n: number) => refusal(workloadRollback, { revision: n }, current(), kept())
    assert.equal(await asked(7), 'unsuitable_target')
    assert.equal(await asked(3), 'no_change')
    const foreign = revision(9, app('app:9'), '22222222-2222-4222-8222-222222222222')
    const other = refusal(workloadRollback, { revision: 9 }, current(), kept(foreign))
    assert.equal(await other, 'unsuitable_target')
  })

  it('refuses what reaches the host, an identity or a credential (T37)', async () => {
    const secret = [{ name: 'T', valueFrom: { secretKeyRef: { name: 's', key: 't' } } }]
    const attacks: object[] = [
      { ...now, hostPID: true },
      { ...now, serviceAccountName: 'other' },
      { ...now, aFieldOfTomorrow: true },
      { ...now, volumes: [{ name: 'root', hostPath: { path: '/' } }] },
      app('app:3', { securityContext: { privileged: true } }),
      app('app:3', { env: secret }),
      app('app:3', { envFrom: [{ secretRef: { name: 's' } }] }),
      app('app:3', { ports: [{ containerPort: 80, hostPort: 80 }] }),
      { ...now, tolerations: [{ operator: 'Exists' }] },
      {
        ...now,
        tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }],
      },
      app('app:3', { livenessProbe: { httpGet: { port: 80, host: '169.254.169.254' } } }),
      app('app:3', { readinessProbe: { tcpSocket: { port: 22, host: '10.0.0.1' } } }),
      app('app:3', { lifecycle: { preStop: { httpGet: { port: 80, host: 'example.org' } } } }),
    ]
    for (const spec of attacks) {
      const there = kept(revision(4, spec))
      const what = JSON.stringify(spec)
      const params = { revision: 4 }
      assert.equal(
        await refusal(workloadRollback, params, current(), there),
        'unsuitable_target',
        what,
      )
      const back = { ReplicaSet: [revision(2, now)] }
      const plan = await prepare(workloadRollback, { revision: 2 }, current(spec), back)
      assert.ok(isRefusal(plan), `back from ${what}`)
    }
  })

  it('refuses the same of init containers, hooks, and what stands around a Pod (T37)', () => {
    const template = (spec: object, more: object = {}) =>
      ({ metadata: { labels: { app: 'web' } }, spec: { ...now, ...spec }, ...more }) as JsonMap
    const begins = (more: object = {}) =>
      template({ initContainers: [{ name: 'init', image: 'init:1', ...more }] })
    const keys = [{ name: 'keys', secret: { secretName: 'keys' } }]
    const mounted = (volumeMounts: object[]) =>
      template({ volumes: keys, containers: [{ name: 'app', image: 'app:3', volumeMounts }] })
    const hook = { httpGet: { port: 80, host: 'example.org' } }
    const attacks: [JsonMap, JsonMap, RegExp][] = [
      [begins(), begins({ envFrom: [{ secretRef: { name: 's' } }] }), /all variables of a secret/],
      [begins(), begins({ ports: [{ containerPort: 1, hostPort: 1 }] }), /ports of the host/],
      [begins(), begins({ startupProbe: { tcpSocket: { host: 'x' } } }), /another host/],
      [begins(), begins({ securityContext: {} }), /initContainers\[init\].securityContext/],
      [mounted([]), mounted([{ name: 'keys', mountPath: '/keys' }]), /mounts of such volumes/],
      [
        template({}),
        template({ containers: [{ ...now.containers[0], lifecycle: { postStart: hook } }] }),
        /another host/,
      ],
      [template({}), template({}, { kind: 'of tomorrow' }), /template.kind/],
      [
        template({}),
        template({}, { metadata: { labels: { app: 'web' }, finalizers: ['x'] } }),
        /metadata.finalizers/,
      ],
    ]
    for (const [one, other, says] of attacks) {
      assert.match(heldChange(one, other) ?? '', says)
      assert.match(heldChange(other, one) ?? '', says, 'nor back')
    }
    assert.equal(heldChange(template({}), begins()), undefined)
  })

  it('lets probes of the Pod itself and tolerations of other taints come back (T37)', async () => {
    const probe = { httpGet: { port: 8080, path: '/ready' } }
    const spec = {
      ...app('app:2', { readinessProbe: probe, lifecycle: { preStop: { sleep: { seconds: 5 } } } }),
      tolerations: [{ key: 'example.org/gpu', operator: 'Exists' }],
    }
    await planned(workloadRollback, { revision: 4 }, current(), kept(revision(4, spec)))
  })

  it('refuses to take a profile off a container, or to put one on (T37)', async () => {
    const template = (annotations: Record<string, string>) => ({
      metadata: { annotations },
      spec: now,
    })
    for (const key of [
      'container.apparmor.security.beta.kubernetes.io/app',
      'seccomp.security.alpha.kubernetes.io/pod',
    ]) {
      const [off, on] = [template({ a: 'b' }), template({ [key]: 'runtime/default' })]
      assert.match(heldChange(off, on) ?? '', /profile/)
      assert.match(heldChange(on, off) ?? '', /profile/)
      assert.match(heldChange(on, template({ [key]: 'unconfined' })) ?? '', /profile/)
      assert.equal(
        heldChange(on, { ...on, metadata: { annotations: { [key]: 'runtime/default', a: 'c' } } }),
        undefined,
      )
    }
  })

  it('lets what stays pass', async () => {
    const held = { ...app('app:3'), hostPID: true }
    const back = { ReplicaSet: [revision(2, { ...app('app:2'), hostPID: true })] }
    await planned(workloadRollback, {}, current(held), back)
  })
})

describe('a merge patch', () => {
  const map = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.letrec((tie) => ({
      value: fc.oneof(
        fc.integer(),
        fc.array(fc.integer()),
        fc.dictionary(fc.constantFrom('a', 'b'), tie('value')),
      ),
    })).value,
  )
  const apply = (to: JsonMap, patch: JsonMap): JsonMap => {
    const all = new Map(Object.entries(to))
    for (const [name, value] of Object.entries(patch)) {
      const old = all.get(name)
      if (value === null) all.delete(name)
      else all.set(name, isMap(value) ? apply(isMap(old) ? old : {}, value) : value)
    }
    return Object.fromEntries(all)
  }

  it('turns one object into the other, by RFC 7396', () => {
    fc.assert(
      fc.property(map, map, (one, other) => {
        const [from, to] = [one, other].map((v) => JSON.parse(JSON.stringify(v)) as JsonMap)
        assert.deepEqual(apply(from ?? {}, mergePatch(from ?? {}, to ?? {})), to)
      }),
    )
  })
})

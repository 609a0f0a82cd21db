import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { catalogue } from '@jackstay/actions/catalogue'
import { dashed } from '@jackstay/contract/executor'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord } from '@jackstay/kube/resources'
import { type Answer, attempt, passed, refused, refusedBy } from './attempt.ts'
import { specFieldsHeld } from './chart.ts'
import {
  apply,
  bindingOf,
  deploymentOf,
  type Governed,
  governed,
  read,
  suffix,
} from './governed.ts'
import { evictionOf, evictionPath, evictor } from './node-attacks.ts'
import { noCluster, type World, world } from './world.ts'

const masters = ['system:masters']

describe('executors, with every program of Jackstay dead', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  before(async () => {
    w = await world()
    g = await governed(w)
  })

  const named = (changes: Record<string, readonly string[]>) =>
    w.executor(g.class, { ...g.extra, ...changes })
  const without = (key: string) =>
    w.executor(g.class, Object.fromEntries(Object.entries(g.extra).filter(([k]) => k !== key)))

  it('change the one field of their action', async () => {
    passed(await g.patch({ spec: { replicas: 3 } }))
    const { spec } = await read(w.admin, g.deployment)
    assert.ok(isRecord(spec) && spec.replicas === 3)
    passed(
      await g.patch({ spec: { replicas: 1 } }, { as: named({ 'jackstay.dev/phase': ['undo'] }) }),
    )
  })

  describe('name intent, agent and action (T87)', () => {
    const policy = 'jackstay-executors-identified'
    const either = /'jackstay-executor(s-identified|-writes)'/
    const write = (as: KubeClient) => g.patch({ spec: { replicas: 4 } }, { as })

    it('or are refused, each exactly once and not empty', async () => {
      for (const key of ['jackstay.dev/intent', 'jackstay.dev/agent', 'jackstay.dev/action']) {
        // a write without its action is none of the catalogue's either
        refused(await write(without(key)), 403, either)
        refusedBy(policy, await write(named({ [key]: [...(g.extra[key] ?? []), 'another'] })))
      }
      refused(await write(w.executor(g.class, {})), 403, either)
      refusedBy(policy, await write(named({ 'jackstay.dev/phase': ['do'] })))
      refusedBy(policy, await write(named({ 'jackstay.dev/phase': ['undo', 'undo'] })))
    })

    it('also when the name comes from a client certificate', async () => {
      const user = `system:serviceaccount:jackstay-executors:${g.class}`
      for (const groups of [[], masters]) {
        const { client } = await w.person(user, groups)
        refused(await write(client), 403, either)
      }
    })

    it('and no empty value stands for a name', async () => {
      const headers = impersonation(g, { 'jackstay.dev/intent': '' })
      const { metadata } = await read(w.admin, g.deployment)
      const { uid, resourceVersion } = metadata
      const answer = await w.admin.request({
        method: 'PATCH',
        path: g.deployment,
        contentType: 'application/merge-patch+json',
        headers,
        body: { metadata: { uid, resourceVersion }, spec: { replicas: 4 } },
      })
      assert.equal(answer.status, 403, JSON.stringify(answer.body))
      assert.match(JSON.stringify(answer.body), /jackstay-executors-identified/)
    })
  })

  describe('bind a write to one state of one object (T31, T32, T43, T87)', () => {
    // no action of the catalogue deletes or evicts yet, so that policy refuses these as well
    const either = /'jackstay-executor(s-bound|-writes)'/

    // admission sees the object after the server has filled the gap: nothing here can refuse it
    it('except for a resourceVersion that is none, which our own client never sends', async () => {
      for (const resourceVersion of ['', '0', null]) {
        passed(await g.patch({ spec: { replicas: 4 } }, { metadata: { resourceVersion } }))
      }
      const ref = {
        apiVersion: 'apps/v1',
        resource: 'deployments',
        namespace: g.target,
        name: 'api',
      }
      const patch = () =>
        g.executor.mergePatch(
          ref,
          { spec: { replicas: 4 } },
          { preconditions: { resourceVersion: '' } },
        )
      await assert.rejects(async () => await patch(), { code: 'invalid_request' })
    })

    it('so a stale resourceVersion or another uid never lands', async () => {
      const { resourceVersion } = (await read(w.admin, g.deployment)).metadata
      passed(await g.patch({ spec: { replicas: 2 } }))
      const body = { metadata: { resourceVersion }, spec: { replicas: 9 } }
      assert.equal((await attempt(g.executor, 'PATCH', g.deployment, body)).status, 409)
      const other = { uid: '00000000-0000-4000-8000-000000000000' }
      const answer = await g.patch({ spec: { replicas: 9 } }, { metadata: other })
      refused(answer, 422, /field is immutable/)
    })

    it('so deletes and evictions carry both preconditions, and collections never go', async () => {
      // with every right there is: RBAC would refuse these first
      const executor = await mighty(w, g)
      for (const half of [undefined, 'uid', 'resourceVersion'] as const) {
        const preconditionsNow = async () =>
          half && { [half]: (await read(w.admin, g.deployment)).metadata[half] }
        const deletion = async () => {
          const preconditions = await preconditionsNow()
          const body = {
            apiVersion: 'v1',
            kind: 'DeleteOptions',
            ...(preconditions && { preconditions }),
          }
          return attempt(executor, 'DELETE', g.deployment, body)
        }
        refused(await unlessMoved(deletion), 403, either)
        const preconditions = await preconditionsNow()
        const eviction = {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { name: 'victim' },
          deleteOptions: { ...(preconditions && { preconditions }) },
        }
        const pod = `/api/v1/namespaces/${g.target}/pods/victim`
        refused(await attempt(executor, 'POST', `${pod}/eviction`, eviction), 403, either)
      }
      refused(await attempt(executor, 'DELETE', g.path(g.target)), 403, either)
      passed(await attempt(w.admin, 'GET', g.deployment))
    })

    it('and no eviction says how the Pod is deleted (T43)', async () => {
      const evicts = (options: object, action = 'pod.evict') => {
        const annotations = { 'jackstay.dev/drains': 'quiet' }
        return attempt(
          evictor(w, g, action),
          'POST',
          evictionPath(g),
          evictionOf(options, annotations),
        )
      }
      const others = [
        { gracePeriodSeconds: 0 },
        { gracePeriodSeconds: 30 },
        { propagationPolicy: 'Orphan' },
        { orphanDependents: true },
      ]
      for (const action of ['pod.evict', 'node.drain']) {
        for (const options of others)
          refusedBy('jackstay-executors-bound', await evicts(options, action))
        // there is no such Pod: it came through all policies
        assert.equal((await evicts({}, action)).status, 404)
      }
    })

    it('and those of a drain name the Node', async () => {
      const evicts = (annotations?: object) =>
        attempt(evictor(w, g, 'node.drain'), 'POST', evictionPath(g), evictionOf({}, annotations))
      for (const annotations of [undefined, { 'jackstay.dev/drains': '' }]) {
        refusedBy('jackstay-executor-writes', await evicts(annotations))
      }
    })
  })

  describe('change only what their action names (T37, T39, T40, T44)', () => {
    const policy = 'jackstay-executor-fields-workload-scale-deployments'

    it('by merge patch', async () => {
      for (const [what, body] of Object.entries(fieldAttacks)) {
        const answer = await g.patch(body)
        assert.doesNotThrow(() => refusedBy(policy, answer), what)
      }
    })

    it('by JSON patch with escapes, strategic merge patch or server-side apply with force', async () => {
      const { uid, resourceVersion } = (await read(w.admin, g.deployment)).metadata
      const json = (path: string, value: unknown) =>
        attempt(g.executor, 'PATCH', g.deployment, [{ op: 'replace', path, value }], {
          contentType: 'application/json-patch+json',
        })
      refusedBy(policy, await json('/metadata/annotations/example.org~1kept', 'no'))
      refusedBy(policy, await json('/spec/template/spec/containers/0/image', 'other:1'))
      const strategic = { contentType: 'application/strategic-merge-patch+json' }
      const wipe = { metadata: { uid, resourceVersion, labels: { $patch: 'replace' } } }
      refusedBy(policy, await attempt(g.executor, 'PATCH', g.deployment, wipe, strategic))
      const { spec } = deploymentOf(g.target, 'api', 9)
      const metadata = { name: 'api', namespace: g.target, labels: { app: 'taken-over' } }
      const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }
      const force = {
        contentType: 'application/apply-patch+yaml',
        query: { fieldManager: 'executor', force: 'true' },
      }
      refusedBy(policy, await attempt(g.executor, 'PATCH', g.deployment, applied, force))
    })

    it('and the policy lists every field that this API server knows', async () => {
      const entries = catalogue.flatMap(({ name, writes }) =>
        writes.flatMap((write) => (write.verb === 'patch' ? [{ name, ...write }] : [])),
      )
      for (const { name, group, version, resource, mayChange } of entries) {
        const { body } = await attempt(w.admin, 'GET', openapi(group, version))
        const known = specFieldsOf(body, resource)
        const held = await specFieldsHeld(`jackstay-executor-fields-${dashed(name)}-${resource}`)
        const free = known.filter((field) =>
          mayChange.some((path) => new RegExp(`^spec\\.${field}(\\.|$)`).test(path)),
        )
        assert.deepEqual([...held, ...free].toSorted(), known.toSorted(), `${name} ${resource}`)
      }
    })
  })

  describe('write only what the catalogue says (T25, T36, T43)', () => {
    const policy = 'jackstay-executor-writes'

    it('in the name of an action that exists', async () => {
      for (const action of ['workload.delete', 'workload.Scale', 'workload']) {
        const as = named({ 'jackstay.dev/action': [action] })
        refusedBy(policy, await g.patch({ spec: { replicas: 4 } }, { as }))
      }
    })

    it('and not through subresources, other kinds or other verbs, whatever they are bound to', async () => {
      const executor = await mighty(w, g)
      const { uid, resourceVersion } = (await read(w.admin, g.deployment)).metadata
      for (const [what, answer] of Object.entries(
        await otherWrites(executor, g, { uid, resourceVersion }),
      )) {
        assert.doesNotThrow(() => refusedBy(policy, answer), what)
      }
    })

    it('while the bound role alone refuses the subresource before any policy', async () => {
      const answer = await attempt(g.executor, 'PATCH', `${g.deployment}/scale`, {
        spec: { replicas: 4 },
      })
      refused(answer, 403, /cannot patch resource "deployments\/scale"/)
    })
  })

  describe('work only where Jackstay was asked in (T41)', () => {
    const policy = 'jackstay-executors-governed'
    const either = /'jackstay-executor(s-governed|-writes)'/

    it('so a namespace without the label is out of reach', async () => {
      const name = `u-${suffix()}`
      await apply(w, [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        deploymentOf(name, 'api', 0),
        bindingOf('executes', 'jackstay-action-workload-scale', executorOf(g), name),
      ])
      const write = () => g.patch({ spec: { replicas: 1 } }, { deployment: g.path(name, 'api') })
      refusedBy(policy, await write())
      const label = (value: string | null) =>
        attempt(w.admin, 'PATCH', `/api/v1/namespaces/${name}`, {
          metadata: { labels: { 'jackstay.dev/governed': value } },
        })
      passed(await label('false'))
      refusedBy(policy, await write())
    })

    it('nor are Jackstay’s and Kubernetes’ own namespaces, labelled or not', async () => {
      const executor = await mighty(w, g)
      const own = `jackstay-x-${suffix()}`
      await apply(w, [
        {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: own, labels: { 'jackstay.dev/governed': 'true' } },
        },
        deploymentOf(own, 'api', 0),
      ])
      const inOwn = { deployment: g.path(own, 'api'), as: executor }
      refusedBy(policy, await g.patch({ spec: { replicas: 1 } }, inOwn))
      const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
      for (const namespace of ['jackstay-system', 'jackstay-executors', 'kube-system']) {
        const path = `/api/v1/namespaces/${namespace}/configmaps`
        refused(await attempt(executor, 'POST', path, configMap), 403, either)
      }
      const cluster = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `n-${suffix()}` } }
      refused(await attempt(executor, 'POST', '/api/v1/namespaces', cluster), 403, either)
    })
  })
})

/** The fields below `spec` of a resource, by the API server's own schema. */
function specFieldsOf(openapi: unknown, resource: string): string[] {
  const schemas =
    isRecord(openapi) && isRecord(openapi.components) ? openapi.components.schemas : {}
  const wanted = `.${resource.replace(/s$/, '')}spec`
  const found = Object.entries(Object(schemas)).find(([name]) =>
    name.toLowerCase().endsWith(wanted),
  )
  const schema = found?.[1]
  assert.ok(isRecord(schema) && isRecord(schema.properties), resource)
  return Object.keys(schema.properties)
}

const executorOf = (g: Governed) => ({ namespace: 'jackstay-executors', name: g.class })

/** The executor with a right to everything, by a group beside its name. */
async function mighty(w: World, g: Governed): Promise<KubeClient> {
  const username = `system:serviceaccount:jackstay-executors:${g.class}`
  return w.admin.as({ username, groups: masters, extra: g.extra })
}

function impersonation(g: Governed, changes: Record<string, string>): Record<string, string> {
  const extra = Object.fromEntries(
    Object.entries(g.extra).map(([key, [value = '']]) => [key, value]),
  )
  const headers = Object.entries({ ...extra, ...changes }).map(
    ([key, value]) => [`Impersonate-Extra-${encodeURIComponent(key)}`, value] as const,
  )
  return {
    'Impersonate-User': `system:serviceaccount:jackstay-executors:${g.class}`,
    ...Object.fromEntries(headers),
  }
}

const ghost = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'ghost',
  uid: '00000000-0000-4000-8000-000000000000',
}
const pod = (spec: object) => ({ spec: { template: { spec } } })

const fieldAttacks: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'host path': pod({ volumes: [{ name: 'root', hostPath: { path: '/' } }] }),
  'host process ids': pod({ hostPID: true }),
  'another ServiceAccount': pod({ serviceAccountName: 'default' }),
  'another image': pod({ containers: [{ name: 'none', image: 'other:1' }] }),
  'a restart': { spec: { template: { metadata: { annotations: { restarted: 'now' } } } } },
  'a label': { metadata: { labels: { added: 'yes' } } },
  'an annotation': { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied': '{}' } } },
  'a finalizer': { metadata: { finalizers: ['example.org/stuck'] } },
  'an owner': { metadata: { ownerReferences: [ghost] } },
  paused: { spec: { paused: true } },
  strategy: { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } },
  'no history': { spec: { revisionHistoryLimit: 0 } },
  'ready late': { spec: { minReadySeconds: 5 } },
  deadline: { spec: { progressDeadlineSeconds: 60 } },
  'labels wiped': { metadata: { labels: null } },
  'annotations wiped': { metadata: { annotations: null } },
  'beside the allowed field': { metadata: { labels: { added: 'yes' } }, spec: { replicas: 2 } },
}

async function otherWrites(
  executor: KubeClient,
  g: Governed,
  preconditions: object,
): Promise<Record<string, Answer>> {
  const core = `/api/v1/namespaces/${g.target}`
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions }
  const victim = { name: 'victim' }
  const deleteOptions = { preconditions: { uid: ghost.uid, resourceVersion: '1' } }
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: victim, deleteOptions }
  return {
    scale: await attempt(executor, 'PATCH', `${g.deployment}/scale`, { spec: { replicas: 4 } }),
    status: await attempt(executor, 'PATCH', `${g.deployment}/status`, { status: { replicas: 4 } }),
    create: await attempt(executor, 'POST', g.path(g.target), deploymentOf(g.target, 'more', 0)),
    delete: await attempt(executor, 'DELETE', g.deployment, options),
    'another kind': await attempt(executor, 'POST', `${core}/configmaps`, configMap),
    eviction: await attempt(executor, 'POST', `${core}/pods/victim/eviction`, eviction),
    exec: await attempt(executor, 'GET', `${core}/pods/victim/exec?command=id`),
  }
}

/** What the API server says of a group; that of the core has no name. */
function openapi(group: string, version: string): string {
  return group === '' ? `/openapi/v3/api/${version}` : `/openapi/v3/apis/${group}/${version}`
}

/** Controllers write the status at any time, and a version that is old is refused before any policy is asked. */
async function unlessMoved(send: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await send()
    if (answer.status !== 409 || tries === 20) return answer
  }
}

import type { Answer, Case, Exchange, Step } from './exchange.ts'

const table = 'application/json;as=Table;g=meta.k8s.io;v=v1,application/json'
const metadataAlone =
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'
const merge = 'application/merge-patch+json'

const get = (path: string, rest: Partial<Exchange> = {}): Exchange => ({
  method: 'GET',
  path,
  ...rest,
})
const post = (path: string, body: unknown): Exchange => ({ method: 'POST', path, body })
const put = (path: string, body: unknown): Exchange => ({ method: 'PUT', path, body })
const patch = (path: string, body: unknown, contentType = merge): Exchange => ({
  ...{ method: 'PATCH', path, body, contentType },
})
const strategic = 'application/strategic-merge-patch+json'
/** A server-side apply by somebody. */
const apply = (path: string, manager: string, body: unknown, query = ''): Exchange => ({
  ...{ method: 'PATCH', path: `${path}?fieldManager=${manager}${query}`, body },
  contentType: 'application/apply-patch+yaml',
})
const del = (path: string, body?: unknown): Exchange => ({ method: 'DELETE', path, body })

interface Metadata {
  readonly resourceVersion: string
  readonly uid: string
}
function metadataOf(answers: readonly Answer[], index: number): Metadata {
  const { body } = answers[index] ?? {}
  return (body as { metadata: Metadata }).metadata
}

const cm = (name: string, data: object = {}, labels?: object) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...(labels && { labels }) }, data },
})

function configMaps(namespace: string): readonly Step[] {
  const all = `/api/v1/namespaces/${namespace}/configmaps`
  const kept = `${all}/one`
  return [
    post(all, cm('one', { k: 'v' })),
    post(all, cm('one')),
    post(all, cm('No_Name')),
    post(all, { ...cm('two'), kind: 'Secret' }),
    post(all, { ...cm('two'), apiVersion: 'v2' }),
    post(all, { ...cm('two'), metadata: { name: 'two', namespace: 'elsewhere' } }),
    post(all, { ...cm('two'), metadata: { name: 'two', resourceVersion: '1' } }),
    post(all, { ...cm(''), metadata: {} }),
    post(all, cm('two', {}, { app: 'not/a value' })),
    get(kept),
    get(`${all}/none`),
    put(kept, cm('one', { k: 'w' })),
    put(kept, cm('other')),
    (before) =>
      put(kept, {
        ...cm('one'),
        metadata: { name: 'one', resourceVersion: metadataOf(before, 0).resourceVersion },
      }),
    put(kept, {
      ...cm('one'),
      metadata: { name: 'one', uid: '11111111-1111-4111-8111-111111111111' },
    }),
    patch(kept, { data: { k: null, l: 'x' }, metadata: { labels: { a: 'b' } } }),
    patch(kept, { metadata: { uid: '11111111-1111-4111-8111-111111111111' } }),
    patch(kept, { metadata: { resourceVersion: '1' } }),
    patch(kept, [{ op: 'add', path: '/data/m', value: 'y' }], 'application/json-patch+json'),
    patch(`${kept}?dryRun=All`, { data: { m: 'dry' } }),
    get(kept),
    del(`${all}/none`),
    del(kept, { preconditions: { uid: '11111111-1111-4111-8111-111111111111' } }),
    del(kept, { preconditions: { resourceVersion: '1' } }),
    del(`${kept}?dryRun=All`),
    del(kept),
    get(kept),
  ]
}

function lists(namespace: string): readonly Step[] {
  const all = `/api/v1/namespaces/${namespace}/configmaps`
  const selected = (query: string) => get(`${all}?${query}&labelSelector=set%3Done`)
  return [
    post(all, cm('a', {}, { app: 'web', tier: 'front', set: 'one' })),
    post(all, cm('b', {}, { app: 'web', set: 'one' })),
    post(all, cm('c', {}, { set: 'one' })),
    selected('limit=10'),
    selected('limit=2'),
    get(`${all}?labelSelector=app%20in%20(web%2Capi)%2C!tier`),
    get(`${all}?labelSelector=set%3Done%2Ctier!%3Dfront`),
    get(`${all}?labelSelector=set%3Done%2Capp%20notin%20(web)`),
    get(`${all}?fieldSelector=metadata.name%3Dc`),
    get(`${all}?fieldSelector=data.k%3Dv`),
    get(`${all}?labelSelector=set%3Done`, { accept: table }),
    get(`${all}/a`, { accept: table }),
    get(`${all}?labelSelector=set%3Done`, { accept: metadataAlone }),
    { method: 'DELETE', path: `${all}?labelSelector=app%3Dweb` },
    selected('limit=10'),
  ]
}

function finalizers(namespace: string): readonly Step[] {
  const all = `/api/v1/namespaces/${namespace}/configmaps`
  return [
    post(all, { ...cm('held'), metadata: { name: 'held', finalizers: ['test.dev/hold'] } }),
    del(`${all}/held`),
    get(`${all}/held`),
    patch(`${all}/held`, { metadata: { finalizers: ['test.dev/hold', 'test.dev/more'] } }),
    patch(`${all}/held`, { data: { k: 'v' } }),
    patch(`${all}/held`, { metadata: { finalizers: null } }),
    get(`${all}/held`),
  ]
}

/** What the controllers of a real cluster write meanwhile is left out. */
const controllers = ['status', 'metadata.annotations', 'metadata.managedFields']

function workloads(namespace: string): readonly Step[] {
  const all = `/apis/apps/v1/namespaces/${namespace}`
  const labels = { app: 'web' }
  const container = {
    name: 'web',
    image: 'registry.test/web:1',
    ports: [{ containerPort: 80 }],
    env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '500m' } },
    readinessProbe: { httpGet: { port: 80 } },
  }
  const untagged = { name: 'side', image: 'registry.test:5000/side' }
  const volumes = [
    { name: 'c', configMap: { name: 'c' } },
    { name: 'e', emptyDir: {} },
  ]
  const template = { metadata: { labels }, spec: { containers: [container, untagged], volumes } }
  const spec = { selector: { matchLabels: labels }, template }
  const of = (kind: string, more: object = {}) => ({
    ...{ apiVersion: 'apps/v1', kind, metadata: { name: 'web' }, spec: { ...spec, ...more } },
  })
  const web = `${all}/deployments/web`
  const quiet = (exchange: Exchange): Exchange => ({ ...exchange, without: controllers })
  return [
    post(`${all}/deployments`, of('Deployment', { replicas: 0 })),
    quiet(patch(web, { spec: { minReadySeconds: 5 } })),
    quiet(patch(web, { metadata: { labels: { a: 'b' } } })),
    quiet(patch(web, { status: { replicas: 7 } })),
    quiet(get(`${web}/scale`)),
    quiet(patch(`${web}/scale`, { spec: { replicas: -1 } })),
    quiet(patch(web, { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } })),
    post(`${all}/statefulsets`, of('StatefulSet', { replicas: 0, serviceName: 'web' })),
    post(`${all}/replicasets`, of('ReplicaSet', { replicas: 0 })),
    post(`${all}/daemonsets`, of('DaemonSet', { updateStrategy: { type: 'OnDelete' } })),
  ]
}

function owners(namespace: string): readonly Step[] {
  const one = `/api/v1/namespaces/${namespace}/configmaps/one`
  const data = (entries: object) => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: entries },
  })
  return [
    apply(one, 'first', data({ a: '1', b: '2' })),
    apply(one, 'second', data({ b: '3' })),
    apply(one, 'second', data({ b: '3' }), '&force=true'),
    patch(one, { data: { c: '4' } }),
    apply(one, 'first', data({ a: '1' })),
    apply(one, 'first', data({})),
    patch(one, { data: { c: null } }, strategic),
    { ...apply(one, 'first', data({})), path: one },
    get(one),
    apply(`/api/v1/namespaces/${namespace}/configmaps/two`, 'first', {
      ...data({}),
      metadata: { name: 'two' },
    }),
  ]
}

const errors: readonly Step[] = [
  get('/api/v1/nonsense'),
  get('/apis/nonsense.dev/v1/things'),
  get('/nonsense'),
  { method: 'DELETE', path: '/api/v1/namespaces' },
  patch('/api/v1/namespaces/conformance-errors', {}, 'text/plain'),
  { method: 'POST', path: '/api/v1/namespaces/conformance-errors/configmaps', body: [] },
  get(
    '/api/v1/namespaces/conformance-errors/configmaps?resourceVersion=x&resourceVersionMatch=Exact',
  ),
]

/** Everything that both servers are asked. */
export const cases: readonly Case[] = [
  {
    name: 'config-maps',
    namespaces: ['conformance-config-maps'],
    steps: configMaps('conformance-config-maps'),
  },
  { name: 'lists', namespaces: ['conformance-lists'], steps: lists('conformance-lists') },
  {
    name: 'finalizers',
    namespaces: ['conformance-finalizers'],
    steps: finalizers('conformance-finalizers'),
  },
  {
    name: 'workloads',
    namespaces: ['conformance-workloads'],
    steps: workloads('conformance-workloads'),
  },
  {
    name: 'owners',
    namespaces: ['conformance-owners'],
    steps: owners('conformance-owners'),
  },
  { name: 'errors', namespaces: ['conformance-errors'], steps: errors },
]

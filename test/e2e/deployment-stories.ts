import { type Fields, name, type Story, write } from './patch-story.ts'

const apps = { apiVersion: 'apps/v1', kind: 'Deployment' }

function deployment(pod: Fields, spec: Fields = {}, metadata: Fields = {}): Fields {
  return {
    ...apps,
    metadata: { name, ...metadata },
    spec: {
      ...{ paused: true, selector: { matchLabels: { app: name } } },
      template: { metadata: { labels: { app: name } }, spec: pod },
      ...spec,
    },
  }
}

const container = (fields: Fields = {}) => ({ name: 'app', image: 'app:1', ...fields })
const pod = (fields: Fields, ...more: Fields[]) => ({ containers: [container(fields), ...more] })
const template = (fields: Fields) => ({ spec: { template: { spec: fields } } })

const nodeAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
  },
}

export const applied: Story = {
  title: 'a Deployment that several apply',
  ...{ ...apps, plural: 'deployments' },
  steps: [
    write(
      'apply',
      'gitops',
      'apply makes it',
      deployment(
        pod({
          env: [
            { name: 'A', value: '1' },
            { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
          ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP', name: 'udp' }],
        }),
        { replicas: 2 },
        { annotations: { owner: 'us' }, finalizers: ['example.com/a'] },
      ),
    ),
    write(
      'apply',
      'gitops',
      'the same again changes nothing',
      deployment(pod({}), { replicas: 2 }),
    ),
    write('apply', 'gitops', 'and again', deployment(pod({}), { replicas: 2 })),
    write(
      'apply',
      'other',
      'another one conflicts',
      deployment(pod({ image: 'app:2' }), { replicas: 3 }),
    ),
    write('apply', 'other', 'in one field', { ...deployment({}), spec: { replicas: 3 } }),
    write('apply', 'other', 'but may own what is the same', {
      ...apps,
      metadata: { name },
      spec: { replicas: 2 },
    }),
    write('merge', 'scaler', 'somebody scales', { spec: { replicas: 5 } }),
    write('apply', 'gitops', 'and the old value conflicts', deployment(pod({}), { replicas: 2 })),
    {
      ...write('apply', 'gitops', 'unless forced', deployment(pod({}), { replicas: 2 })),
      force: true,
    },
    write(
      'apply',
      'gitops',
      'a field that nobody mentions any more stays with its other owner',
      deployment(pod({ env: [{ name: 'A', value: '1' }] }, { name: 'side', image: 'side:1' })),
    ),
    write(
      'apply',
      'side',
      'one owns a container alone',
      deployment({
        containers: [
          { name: 'extra', image: 'extra:1' },
          { name: 'side', image: 'side:1' },
        ],
      }),
    ),
    write('apply', 'gitops', 'given up, it stays where another owns it', deployment(pod({}))),
    write(
      'apply',
      'side',
      'and goes with him',
      deployment({ containers: [{ name: 'extra', image: 'extra:1' }] }),
    ),
    write('apply', 'side', 'the last one gone', { ...apps, metadata: { name } }),
    write('strategic', 'editor', 'an editor adds to what is applied', {
      ...{ metadata: { annotations: { note: 'x' }, finalizers: ['example.com/b'] } },
      ...template({ containers: [{ name: 'app', env: [{ name: 'C', value: '3' }] }] }),
    }),
    write(
      'apply',
      'gitops',
      'which survives an apply',
      deployment(pod({ env: [{ name: 'D', value: '4' }] })),
    ),
    write('merge', 'editor', 'everything of it gone', {
      metadata: { annotations: null, finalizers: null },
    }),
    write(
      'apply',
      'gitops',
      'nested lists and maps',
      deployment(
        {
          ...pod({
            volumeMounts: [
              { name: 'config', mountPath: '/a' },
              { name: 'scratch', mountPath: '/b' },
            ],
          }),
          volumes: [
            { name: 'config', configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } },
            { name: 'scratch', emptyDir: {} },
          ],
          ...{ tolerations: [{ key: 'a', operator: 'Exists' }], nodeSelector: { a: 'b' } },
          affinity: { nodeAffinity },
        },
        { strategy: { rollingUpdate: { maxSurge: 1 } } },
      ),
    ),
    write('apply', 'other', 'what is atomic conflicts as a whole', {
      ...apps,
      metadata: { name },
      ...template({ nodeSelector: { c: 'd' }, tolerations: [], affinity: { nodeAffinity } }),
    }),
    write(
      'strategic',
      'editor',
      'an updater takes a volume over',
      template({
        volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory' } }],
      }),
    ),
    write('apply', 'gitops', 'and keeps it, as it was changed', deployment(pod({}))),
    write('apply', 'gitops', "a status is nobody's", {
      ...deployment(pod({})),
      status: { replicas: 9 },
    }),
    write(
      'apply',
      'gitops',
      'nulls and empty maps',
      deployment(
        { ...pod({ resources: {}, env: null }), securityContext: {} },
        { strategy: {} },
        { creationTimestamp: null, labels: {} },
      ),
    ),
    write(
      'apply',
      'gitops',
      'two of one key',
      deployment(pod({ env: [{ name: 'A' }, { name: 'A' }] })),
    ),
    write(
      'apply',
      'gitops',
      'managed fields of its own',
      deployment(pod({}), {}, { managedFields: [{}] }),
    ),
    write('apply', 'gitops', 'another kind', { ...deployment(pod({})), kind: 'ReplicaSet' }),
  ],
}

export const updated: Story = {
  title: 'a Deployment that several update',
  ...{ ...apps, plural: 'deployments' },
  steps: [
    write(
      'update',
      'maker',
      'a create',
      deployment(pod({ ports: [{ containerPort: 80 }] }), {}, { labels: { a: 'b' } }),
    ),
    write('update', 'maker', 'an update that changes nothing', {}),
    write('update', 'maker', 'one that does', { spec: { replicas: 4 } }),
    write('update', 'second', "another one's", { spec: { replicas: 3, minReadySeconds: 5 } }),
    write('update', 'second', 'a removal owns nothing', { metadata: { labels: null } }),
    write(
      'strategic',
      'second',
      'env and a port',
      template({
        containers: [
          { name: 'app', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 81 }] },
        ],
      }),
    ),
    write(
      'strategic',
      'third',
      'another container comes first',
      template({
        containers: [{ name: 'side', image: 'side:1' }],
      }),
    ),
    write(
      'strategic',
      'third',
      'in the order asked for',
      template({
        '$setElementOrder/containers': [{ name: 'app' }, { name: 'side' }],
        containers: [{ name: 'app', image: 'app:2' }],
      }),
    ),
    write(
      'strategic',
      'third',
      'a patch in another order than it asks for',
      template({
        '$setElementOrder/containers': [{ name: 'side' }, { name: 'app' }],
        containers: [
          { name: 'app', image: 'app:3' },
          { name: 'side', image: 'side:3' },
        ],
      }),
    ),
    write(
      'strategic',
      'third',
      'one container goes',
      template({
        containers: [{ name: 'side', $patch: 'delete' }],
      }),
    ),
    write(
      'strategic',
      'third',
      'all ports are replaced',
      template({
        containers: [{ name: 'app', ports: [{ $patch: 'replace' }, { containerPort: 90 }] }],
      }),
    ),
    write(
      'strategic',
      'third',
      'a volume changes what it is',
      template({
        volumes: [{ name: 'v', emptyDir: {} }],
      }),
    ),
    write(
      'strategic',
      'third',
      'and keeps nothing of it',
      template({
        volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }],
      }),
    ),
    write(
      'strategic',
      'third',
      'what is not to be kept is refused',
      template({
        volumes: [{ name: 'v', $retainKeys: ['name'], configMap: { name: 'c' } }],
      }),
    ),
    write('strategic', 'third', 'another strategy', {
      spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
    }),
    write('strategic', 'third', 'finalizers are added', {
      metadata: { finalizers: ['example.com/a', 'example.com/b'] },
    }),
    write('strategic', 'third', 'and more of them', {
      metadata: { finalizers: ['example.com/c', 'example.com/a'] },
    }),
    write('strategic', 'third', 'and taken out', {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a', 'example.com/b'] },
    }),
    write('strategic', 'third', 'in an order', {
      metadata: {
        '$setElementOrder/finalizers': ['example.com/d', 'example.com/c'],
        finalizers: ['example.com/d'],
      },
    }),
    write('merge', 'fourth', 'no finalizers', { metadata: { finalizers: null } }),
    write(
      'strategic',
      'third',
      'tolerations are replaced',
      template({ tolerations: [{ key: 'a' }] }),
    ),
    write('strategic', 'third', 'by others', template({ tolerations: [{ key: 'b' }] })),
    write(
      'strategic',
      'third',
      'a selector in a map',
      template({ nodeSelector: { a: 'b', c: 'd' } }),
    ),
    write(
      'strategic',
      'third',
      'a part of it gone',
      template({ nodeSelector: { a: null, e: 'f' } }),
    ),
    write(
      'strategic',
      'third',
      'replaced',
      template({ nodeSelector: { $patch: 'replace', g: 'h' } }),
    ),
    write('strategic', 'third', 'gone', template({ nodeSelector: { $patch: 'delete' } })),
    write(
      'strategic',
      'third',
      'an unknown directive',
      template({ nodeSelector: { $patch: 'twist' } }),
    ),
    write(
      'strategic',
      'third',
      'a directive of lists that is none',
      template({
        containers: [{ name: 'app', $patch: 'merge' }],
      }),
    ),
    write(
      'strategic',
      'third',
      'an item without its key',
      template({ containers: [{ image: 'x' }] }),
    ),
    write(
      'strategic',
      'third',
      'an order that is no list',
      template({ '$setElementOrder/containers': 'x' }),
    ),
    write(
      'strategic',
      'third',
      'a directive without its list',
      template({ $deleteFromPrimitiveList: ['x'] }),
    ),
    write('strategic', 'third', 'keys to keep that are no list', template({ $retainKeys: 'x' })),
    write('strategic', 'third', 'no object', []),
    write('merge', 'third', 'no object either', []),
    write(
      'merge',
      'third',
      'a list as a whole',
      template({ containers: [container({ image: 'app:9' })] }),
    ),
    write('json', 'fifth', 'operations', [
      { op: 'test', path: '/spec/replicas', value: 3 },
      { op: 'replace', path: '/spec/replicas', value: 6 },
      { op: 'add', path: '/metadata/annotations', value: { 'a/b': 'c' } },
      { op: 'add', path: '/metadata/annotations/x~1y', value: 'z' },
      { op: 'replace', path: '/spec/template/spec/hostPID', value: true },
      { op: 'move', from: '/metadata/annotations/x~1y', path: '/metadata/annotations/moved' },
      { op: 'copy', from: '/metadata/annotations/moved', path: '/metadata/annotations/copied' },
      { op: 'test', path: '/spec/nothing', value: null },
    ]),
    write('json', 'fifth', 'a test that fails', [{ op: 'test', path: '/spec/replicas', value: 1 }]),
    write('json', 'fifth', 'nothing to remove', [{ op: 'remove', path: '/spec/nothing' }]),
    write('json', 'fifth', 'no such place', [{ op: 'add', path: '/spec/no/where', value: 1 }]),
    write('json', 'fifth', 'no such operation', [{ op: 'twist', path: '/spec' }]),
    write('json', 'fifth', 'no list', {}),
    write('json', 'fifth', 'no operations', [1]),
    write('json', 'fifth', 'counted from the end', [
      { op: 'remove', path: '/spec/template/spec/containers/-1/terminationMessagePath' },
    ]),
    write('apply', 'late', 'an apply after all of it', deployment(pod({}))),
    write('apply', 'late', 'conflicts with what changed', deployment(pod({}), { replicas: 1 })),
    {
      ...write('apply', 'late', 'or takes it', deployment(pod({}), { replicas: 1 })),
      force: true,
    },
    write('update', 'maker', 'ownership ends', { metadata: { managedFields: [] } }),
    write('merge', 'maker', 'and does not begin by an update', { spec: { replicas: 2 } }),
    write('apply', 'late', 'but by an apply', deployment(pod({}), { replicas: 2 })),
    {
      ...write('merge', 'kubelet', 'a status by its own door', {
        metadata: { labels: { not: 'owned' } },
        status: { observedGeneration: 1, replicas: 2 },
      }),
      subresource: 'status',
    },
    {
      ...write('apply', 'kubelet', 'a status applied', {
        ...apps,
        metadata: { name },
        status: { conditions: [{ type: 'X', status: 'True', lastTransitionTime: null }] },
      }),
      subresource: 'status',
    },
  ],
}

import { applied, updated } from './deployment-stories.ts'
import { type Fields, name, type Story, write } from './patch-story.ts'

const configMap = { apiVersion: 'v1', kind: 'ConfigMap' }
const data = (fields: Fields) => ({ ...configMap, metadata: { name }, data: fields })

const manyHands: Story = {
  title: 'a ConfigMap through many hands',
  ...{ ...configMap, plural: 'configmaps' },
  steps: [
    write('apply', 'first', 'made', data({ a: '1' })),
    ...Array.from({ length: 13 }, (_, i) =>
      write('merge', `hand-${i}`, `hand ${i}`, { data: { [`k${i}`]: `${i}` } }),
    ),
    write('apply', 'first', 'no data any more', { ...configMap, metadata: { name } }),
    write('strategic', 'hand-1', 'none at all', { data: { $patch: 'delete' } }),
    write('apply', 'first', 'some data', data({ a: '1', b: '2' })),
    write('apply', 'second', 'the same in part', data({ b: '2', c: '3' })),
    write('apply', 'first', 'given up by one', data({ a: '1' })),
    write('apply', 'second', 'and by the other', data({ c: '3' })),
    write('merge', 'third', 'changed by an update', { data: { c: '4' } }),
    write('apply', 'second', 'given up, it stays', data({})),
    write('apply', 'first', 'immutable, as a value', { ...data({ a: '1' }), immutable: false }),
  ],
}

const service: Story = {
  title: 'a Service with ports of one number',
  ...{ apiVersion: 'v1', kind: 'Service', plural: 'services' },
  steps: [
    write('apply', 'one', 'made', {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
      spec: {
        ...{ clusterIP: 'None', selector: { app: name } },
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53 },
        ],
      },
    }),
    write('strategic', 'two', 'a patch goes by the number alone', {
      spec: { ports: [{ port: 53, appProtocol: 'dns' }] },
    }),
    write('apply', 'one', 'one port given up', {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
      spec: {
        clusterIP: 'None',
        selector: { app: 'x' },
        ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
      },
    }),
  ],
}

export const stories: readonly Story[] = [applied, updated, manyHands, service]

/** `openAPIV3Schema` and the rest of a custom kind with every sort of list and map. */
export const customVersion = {
  ...{ name: 'v1', served: true, storage: true, subresources: { status: {} } },
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            size: { type: 'integer' },
            rooms: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name', 'floor'],
              items: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: { type: 'string' },
                  floor: { type: 'integer', default: 1 },
                  colour: { type: 'string' },
                },
              },
            },
            tags: {
              type: 'array',
              'x-kubernetes-list-type': 'set',
              items: { type: 'string' },
            },
            plain: { type: 'array', items: { type: 'string' } },
            doors: {
              type: 'object',
              additionalProperties: {
                type: 'object',
                properties: { width: { type: 'integer' }, height: { type: 'integer' } },
              },
            },
            whole: {
              type: 'object',
              'x-kubernetes-map-type': 'atomic',
              additionalProperties: { type: 'string' },
            },
            any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
        status: { type: 'object', properties: { seen: { type: 'integer' } } },
      },
    },
  },
}

export function customStory(group: string): Story {
  const made = { apiVersion: `${group}/v1`, kind: 'House' }
  const house = (spec: Fields, more: Fields = {}) => ({
    ...made,
    metadata: { name },
    spec,
    ...more,
  })
  return {
    title: 'a custom kind',
    ...{ ...made, plural: 'houses' },
    steps: [
      write(
        'apply',
        'one',
        'made',
        house({
          ...{ size: 1, tags: ['a', 'b'], plain: ['x'], whole: { a: 'b' } },
          rooms: [{ name: 'hall' }, { name: 'hall', floor: 2, colour: 'red' }],
          doors: { front: { width: 1 }, back: { width: 2, height: 3 } },
          any: { deep: { er: 1 }, list: [{ a: 1 }] },
        }),
      ),
      write(
        'apply',
        'two',
        'parts of it',
        house({
          ...{ tags: ['b', 'c'], rooms: [{ name: 'hall', floor: 1, colour: 'blue' }] },
          ...{ doors: { back: { height: 3 }, side: {} }, any: { deep: { too: 1 } } },
        }),
      ),
      write(
        'apply',
        'two',
        'what is in conflict',
        house({
          ...{ plain: ['y'], whole: { c: 'd' }, doors: { front: { width: 9 } }, any: { list: [] } },
          rooms: [{ name: 'hall', floor: 2, colour: 'green' }],
        }),
      ),
      write(
        'apply',
        'one',
        'most of it given up',
        house({ size: 1, doors: { front: { width: 1 } }, rooms: [] }),
      ),
      write('apply', 'two', 'all of it given up', { ...made, metadata: { name } }),
      write('merge', 'three', 'a merge patch', {
        spec: { size: 2, tags: ['z'], doors: { x: { width: 1 } } },
      }),
      write('apply', 'one', 'after it', house({ size: 3 })),
      write('json', 'four', 'a JSON patch', [{ op: 'add', path: '/spec/tags/-', value: 'q' }]),
      write('update', 'five', 'an update', { spec: { tags: null, any: { a: { b: 1 } } } }),
      {
        ...write('merge', 'six', 'a status', {
          metadata: { labels: { a: 'b' } },
          status: { seen: 1 },
        }),
        subresource: 'status',
      },
      {
        ...write('apply', 'seven', 'a status applied', {
          ...made,
          metadata: { name },
          status: { seen: 1 },
        }),
        subresource: 'status',
      },
      write('apply', 'one', 'a set with one value twice', house({ tags: ['a', 'a'] })),
      write('strategic', 'four', 'no strategic merge patch', { spec: { size: 4 } }),
    ],
  }
}

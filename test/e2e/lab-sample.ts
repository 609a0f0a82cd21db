import type { Manifest } from './governed.ts'

const text = { type: 'string' }
const whole = { type: 'integer' }

const properties = {
  mode: { ...text, default: 'slow', enum: ['slow', 'fast'] },
  nested: {
    type: 'object',
    default: {},
    properties: { size: { ...whole, default: 3 }, note: { ...text, nullable: true } },
  },
  port: { 'x-kubernetes-int-or-string': true },
  anything: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  words: { type: 'array', items: text, 'x-kubernetes-list-type': 'set', maxItems: 5 },
  parts: {
    type: 'array',
    maxItems: 5,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { ...text, maxLength: 10 },
        count: {
          ...whole,
          'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'never shrinks' }],
        },
      },
    },
  },
  at: { ...text, format: 'date-time' },
  lasts: {
    ...text,
    format: 'duration',
    'x-kubernetes-validations': [{ rule: "self >= duration('1m')" }],
  },
  id: { ...text, format: 'uuid' },
  address: { ...text, format: 'ipv4' },
  coded: { ...text, format: 'byte' },
  share: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 1 },
  step: { ...whole, multipleOf: 5 },
  labels: { type: 'object', additionalProperties: text, maxProperties: 2, minProperties: 1 },
  either: {
    type: 'object',
    properties: { a: text, b: whole },
    oneOf: [{ required: ['a'] }, { required: ['b'] }],
  },
  some: {
    type: 'object',
    properties: { a: text, b: whole },
    anyOf: [{ required: ['a'] }, { required: ['b'] }],
  },
  never: { ...text, not: { enum: ['never'] } },
  short: { ...text, maxLength: 3 },
  'dash-ed': {
    ...text,
    'x-kubernetes-validations': [
      {
        rule: "self != 'bad'",
        messageExpression: "'is ' + self",
        reason: 'FieldValueForbidden',
      },
    ],
  },
  fixed: {
    ...text,
    'x-kubernetes-validations': [
      { rule: 'oldSelf.orValue(self) == self', optionalOldSelf: true, message: 'is fixed' },
    ],
  },
  first: whole,
  second: whole,
}

const rules = [
  {
    rule: '!has(self.first) || !has(self.second) || self.first <= self.second',
    message: 'first is no more than second',
    fieldPath: '.first',
  },
  { rule: "!has(self.dash__dash__ed) || self.dash__dash__ed != 'worse'" },
  { rule: '!has(self.anything) || 1 / (has(self.step) ? self.step : 1) >= 0', message: 'divides' },
]

/** A kind with something of everything that a definition can say. */
export function sampleCrd(group: string): Manifest {
  const spec = { type: 'object', properties, 'x-kubernetes-validations': rules }
  const schema = { type: 'object', properties: { spec } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `samples.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural: 'samples', kind: 'Sample' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  }
}

const parts = [{ name: 'a', count: 2 }]

export const sampleSpecs: readonly (readonly [string, unknown])[] = [
  ['nothing', {}],
  ['unknown fields', { mode: 'fast', mood: 1, nested: { size: 1, other: 2 } }],
  ['nulls', { mode: null, nested: { size: null, note: null }, short: null }],
  ['a null that may be', { nested: { note: null } }],
  ['anything', { anything: { a: { b: [1, 'x', null] } } }],
  ['another value', { mode: 'medium' }],
  ['whole or text', { port: '80%' }],
  ['neither whole nor text', { port: true }],
  ['a fraction for a whole', { first: 1.5 }],
  ['a text for a whole', { first: '1' }],
  ['a list for an object', { nested: [] }],
  ['an object for a list', { words: {} }],
  ['a null in a list', { words: ['a', null] }],
  ['a set with one twice', { words: ['a', 'b', 'a'] }],
  ['too many', { words: ['a', 'b', 'c', 'd', 'e', 'f'] }],
  ['keys twice', { parts: [...parts, ...parts] }],
  ['a missing key', { parts: [{ count: 1 }] }],
  ['formats', { at: '2026-01-05T09:00:00Z', lasts: '1h', address: '10.0.0.1', coded: 'YQ==' }],
  ['no time', { at: '2026-01-05' }],
  ['no span', { lasts: 'soon' }],
  ['a short span', { lasts: '30s' }],
  ['no uuid', { id: 'x' }],
  ['no address', { address: '10.0.0.256' }],
  ['no base64', { coded: '*' }],
  ['bounds', { share: 0, step: 7 }],
  ['other bounds', { share: 1.5, labels: {} }],
  ['too many properties', { labels: { a: 'a', b: 'b', c: 'c' } }],
  ['one and not the other', { either: { a: 'x' } }],
  ['one and the other', { either: { a: 'x', b: 1 } }],
  ['neither one', { either: {} }],
  ['some', { some: { a: 'x', b: 1 } }],
  ['none', { some: {} }],
  ['what must not be', { never: 'never' }],
  ['characters, not bytes', { short: '日本語' }],
  ['too long', { short: 'four' }],
  ['a rule with a message of its own', { 'dash-ed': 'bad' }],
  ['a rule without a message', { 'dash-ed': 'worse' }],
  ['a rule about a field', { first: 2, second: 1 }],
  ['a rule that fails to run', { anything: {}, step: 0 }],
]

export const sampleUpdates: readonly (readonly [string, unknown, unknown])[] = [
  ['nothing', { parts, fixed: 'a' }, { parts, fixed: 'a' }],
  ['a transition', { parts }, { parts: [{ name: 'a', count: 1 }] }],
  [
    'one that grows',
    { parts },
    {
      parts: [
        { name: 'b', count: 1 },
        { name: 'a', count: 3 },
      ],
    },
  ],
  ['what is fixed', { fixed: 'a' }, { fixed: 'b' }],
  ['what was not there', {}, { fixed: 'b' }],
  ['defaults that go', { mode: 'fast' }, {}],
]

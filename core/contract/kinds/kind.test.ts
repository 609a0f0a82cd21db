import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { crdOf, type SchemaNode, structuralSchema } from '../crd.ts'
import { sha256 } from '../json.ts'
import { kinds } from './all.ts'
import { celRules, groupVersion, objectOf, ruled } from './kind.ts'
import { suspension } from './suspension.ts'

const twin = { rule: 'self % 2 == 0', message: 'is even', test: (n: number) => n % 2 === 0 }

interface Nodes {
  readonly path: string
  readonly node: SchemaNode
}

/** Every schema node of a kind's CRD: root, spec and status. */
function nodesOf(node: SchemaNode, path = ''): Nodes[] {
  const children = [
    ...Object.entries(node.properties ?? {}),
    ...(node.items ? [['[]', node.items] as const] : []),
    ...(typeof node.additionalProperties === 'object'
      ? [['{}', node.additionalProperties] as const]
      : []),
  ]
  return [{ path, node }, ...children.flatMap(([key, child]) => nodesOf(child, `${path}/${key}`))]
}

const crd = z.object({
  spec: z.object({
    versions: z.array(z.object({ schema: z.object({ openAPIV3Schema: z.looseObject({}) }) })),
  }),
})
const schemaOf = (kind: (typeof kinds)[number]): SchemaNode =>
  crd.parse(crdOf(kind)).spec.versions[0]?.schema.openAPIV3Schema ?? {}

/** Every refinement with a CEL half below a zod schema, found without the converter. */
function rulesBelow(schema: unknown, seen = new Set<unknown>()): string[] {
  if (schema === null || typeof schema !== 'object' || seen.has(schema)) return []
  seen.add(schema)
  if (Array.isArray(schema)) return schema.flatMap((item) => rulesBelow(item, seen))
  const own = schema instanceof z.ZodType ? celRules.get(schema)?.rules.map((r) => r.rule) : []
  const inner = schema instanceof z.ZodType ? Object.values(schema.def) : Object.values(schema)
  return [...(own ?? []), ...inner.flatMap((child) => rulesBelow(child, seen))]
}

describe('a rule in both worlds', () => {
  it('refuses here what its test refuses, in its own words', () => {
    const even = ruled(z.int(), twin)
    assert.ok(even.safeParse(2).success)
    assert.equal(even.safeParse(3).error?.issues[0]?.message, 'is even')
  })

  it('gives the API server its CEL half, and every one of several', () => {
    const small = { rule: 'self < 9', message: 'is small', test: (n: number) => n < 9 }
    const both = ruled(z.int(), twin, small)
    const { 'x-kubernetes-validations': rules } = structuralSchema(both)
    assert.deepEqual(
      rules,
      [twin, small].map(({ rule, message }) => ({ rule, message })),
    )
    assert.deepEqual(
      [2, 3, 10].map((n) => both.safeParse(n).success),
      [true, false, false],
    )
  })
})

describe('every kind', () => {
  for (const kind of kinds) {
    it(`${kind.kind}: the CRD is structural, status included`, () => {
      const forbidden = [
        'anyOf',
        'oneOf',
        'allOf',
        'not',
        '$schema',
        '$ref',
        'propertyNames',
        'const',
      ]
      for (const { path, node } of nodesOf(schemaOf(kind))) {
        for (const keyword of forbidden) assert.equal(keyword in node, false, `${path} ${keyword}`)
        assert.notEqual(node.additionalProperties, false, path)
        assert.equal(typeof node.type, 'string', path)
        // numbers with draft 2020 bounds, which the API server reads as booleans
        assert.equal('exclusiveMinimum' in node || 'exclusiveMaximum' in node, false, path)
      }
    })

    it(`${kind.kind}: every string, list and map of spec and status has a bound`, () => {
      for (const { path, node } of nodesOf(schemaOf(kind))) {
        if (!path.startsWith('/spec') && !path.startsWith('/status')) continue
        if (node.type === 'string' && !node.enum)
          assert.equal(typeof node.maxLength, 'number', path)
        if (node.type === 'array') assert.equal(typeof node.maxItems, 'number', path)
        if (node.additionalProperties) assert.equal(typeof node.maxProperties, 'number', path)
      }
    })

    it(`${kind.kind}: no refinement is lost on the way to the API server`, () => {
      const carried = nodesOf(schemaOf(kind)).flatMap(({ node }) => {
        const rules = z.array(z.object({ rule: z.string() })).optional()
        return rules.parse(node['x-kubernetes-validations'])?.map(({ rule }) => rule) ?? []
      })
      for (const rule of rulesBelow(kind.spec)) assert.ok(carried.includes(rule), rule)
    })

    it(`${kind.kind}: its spec never changes where it says so, and only there`, () => {
      const rules = JSON.stringify(schemaOf(kind).properties?.spec?.['x-kubernetes-validations'])
      assert.equal(rules?.includes('self == oldSelf') ?? false, kind.immutable)
    })

    it(`${kind.kind}: no value brings down its schema`, () => {
      const keys = Object.keys(schemaOf(kind).properties?.spec?.properties ?? {})
      const near = fc.dictionary(fc.constantFrom(...keys), fc.anything({ maxDepth: 4 }))
      fc.assert(
        fc.property(fc.oneof(fc.anything(), near), (value) => {
          assert.equal(typeof kind.spec.safeParse(value).success, 'boolean')
        }),
      )
    })
  }

  it('has its refinements found by this test too', () => {
    const found = new Set(kinds.flatMap((kind) => rulesBelow(kind.spec)))
    assert.ok(found.size >= 8, [...found].join('; '))
  })

  it('has names of its own', () => {
    for (const field of ['kind', 'plural', 'singular', 'shortName'] as const) {
      assert.equal(new Set(kinds.map((kind) => kind[field])).size, kinds.length, field)
    }
  })

  it('that stands for a person, a key or a signature is immutable', () => {
    const immutable = kinds.filter((kind) => kind.immutable).map(({ kind }) => kind)
    assert.deepEqual(immutable.toSorted(), ['AgentKey', 'Approval', 'Intent'])
  })
})

describe('an object from the API server', () => {
  const object = {
    apiVersion: groupVersion,
    kind: 'Suspension',
    metadata: { name: 's', uid: 'u', resourceVersion: '1', managedFields: [] },
    spec: { class: 'a', reason: 'incident' },
  }
  const ok = (value: unknown) => objectOf(suspension).safeParse(value).success

  it('is read by its strict spec, its metadata leniently', () => {
    assert.ok(ok(object))
    assert.ok(ok({ ...object, status: { anything: sha256('x') } }))
    assert.equal(ok({ ...object, spec: { ...object.spec, agents: 'x' } }), false)
    assert.equal(ok({ ...object, kind: 'Approval' }), false)
    assert.equal(ok({ ...object, apiVersion: 'jackstay.dev/v1' }), false)
    assert.equal(ok({ ...object, metadata: { name: 's' } }), false)
  })
})

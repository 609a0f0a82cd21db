import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { crdOf, knownKeyRules, type SchemaNode, structuralSchema } from './crd.ts'
import { kinds } from './kinds/all.ts'
import { defineKind, ruled } from './kinds/kind.ts'

const preserved = { 'x-kubernetes-preserve-unknown-fields': true }

/** Every node below a schema with its path. */
function nodes(node: SchemaNode, path = 'spec'): [string, SchemaNode][] {
  const below = Object.entries(node.properties ?? {})
  const map = node.additionalProperties
  return [
    [path, node],
    ...below.flatMap(([key, child]) => nodes(child, `${path}.${key}`)),
    ...(node.items ? nodes(node.items, `${path}[]`) : []),
    ...(typeof map === 'object' ? nodes(map, `${path}{}`) : []),
  ]
}

describe('a structural schema', () => {
  it('keeps unknown keys of strict objects, for the policy to refuse (T83)', () => {
    const schema = structuralSchema(z.strictObject({ a: z.strictObject({ b: z.boolean() }) }))
    assert.deepEqual(schema, {
      type: 'object',
      properties: {
        a: {
          type: 'object',
          properties: { b: { type: 'boolean' } },
          required: ['b'],
          ...preserved,
        },
      },
      required: ['a'],
      ...preserved,
    })
  })

  it('turns a union of fixed and patterned strings into one string', () => {
    const name = z.union([
      z.literal('*'),
      z
        .string()
        .max(3)
        .regex(/^[a-z]+$/),
    ])
    const { type, pattern, maxLength, anyOf } = structuralSchema(name)
    assert.deepEqual([type, maxLength, anyOf], ['string', 3, undefined])
    assert.ok(typeof pattern === 'string')
    const accepts = (text: string) => new RegExp(pattern).test(text)
    assert.deepEqual(['*', 'abc', '**', 'a*', ''].map(accepts), [true, true, false, false, false])
  })

  it('gives every string, list and map a bound', () => {
    const schema = structuralSchema(
      z.strictObject({
        text: z.string(),
        map: z.record(z.string().max(9), z.string().max(5)),
      }),
    )
    assert.equal(schema.properties?.text?.maxLength, 4096)
    assert.deepEqual(schema.properties?.map, {
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 5 },
      maxProperties: 64,
      'x-kubernetes-validations': [
        { rule: 'self.all(k, size(k) <= 9)', message: 'a key has at most 9 characters' },
      ],
    })
  })

  it('carries the CEL twin of a refinement, also below an optional field', () => {
    const twin = { rule: 'self > 1', message: 'too few' }
    const count = ruled(z.int().min(0).max(9), { ...twin, test: (n) => n > 1 })
    const schema = structuralSchema(z.strictObject({ count: count.optional() }))
    assert.deepEqual(schema.properties?.count, {
      type: 'integer',
      minimum: 0,
      maximum: 9,
      'x-kubernetes-validations': [twin],
    })
    assert.equal(schema.required, undefined)
  })

  it('is refused for what a CRD cannot say', () => {
    assert.throws(() => structuralSchema(z.union([z.string(), z.number()])), TypeError)
    assert.throws(() => structuralSchema(z.record(z.string().regex(/^a/), z.string())), TypeError)
  })
})

describe('the CRD of every kind', () => {
  for (const kind of kinds) {
    const schema = structuralSchema(kind.spec)

    it(`${kind.kind}: nothing is unbounded, unions and closed objects are gone`, () => {
      for (const [path, node] of nodes(schema)) {
        const { type, anyOf, enum: values } = node
        assert.equal(anyOf, undefined, path)
        assert.notEqual(node.additionalProperties, false, path)
        if (type === 'string' && !values) assert.equal(typeof node.maxLength, 'number', path)
        if (type === 'array') assert.equal(typeof node.maxItems, 'number', path)
        if (node.additionalProperties) assert.equal(typeof node.maxProperties, 'number', path)
      }
    })

    it(`${kind.kind}: the generated policy knows every level that keeps unknown keys`, () => {
      const kept = nodes(schema).filter(([, n]) => n['x-kubernetes-preserve-unknown-fields'])
      const paths = knownKeyRules(kind).map(({ path }) => path)
      assert.deepEqual(paths.toSorted(), ['', ...kept.map(([path]) => path)].toSorted())
    })
  }

  it('says short name, category, columns, status and immutability', () => {
    const kind = defineKind({
      ...{ kind: 'Thing', plural: 'things', singular: 'thing', shortName: 'th' },
      ...{ scope: 'Namespaced', summary: 'A thing.', immutable: true },
      spec: z.strictObject({ size: z.int() }),
      status: z.strictObject({ phase: z.string().max(9).optional() }),
      columns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
    })
    const crd = z
      .object({
        spec: z.object({
          names: z.object({ shortNames: z.array(z.string()), categories: z.array(z.string()) }),
          versions: z.array(z.looseObject({})).length(1),
        }),
      })
      .parse(crdOf(kind))
    assert.deepEqual(crd.spec.names, { shortNames: ['th'], categories: ['jackstay'] })
    const [version] = crd.spec.versions
    assert.deepEqual(version?.subresources, { status: {} })
    assert.deepEqual(version?.additionalPrinterColumns, kind.columns)
    assert.match(JSON.stringify(version), /"rule":"self == oldSelf"/)
    assert.ok(!JSON.stringify(version?.schema).includes('"additionalProperties":false'))
  })
})

describe('every field of every kind', () => {
  const fields = kinds.flatMap((kind) => {
    const { spec } = crdOf(kind) as { spec: { versions: { schema: Record<string, SchemaNode> }[] } }
    const root = spec.versions[0]?.schema.openAPIV3Schema?.properties ?? {}
    return (['spec', 'status'] as const).flatMap((part) => {
      const node = root[part]
      return node === undefined
        ? []
        : nodes(node, `${kind.kind}.${part}`).map(([path, one]) => ({ path, node: one }))
    })
  })

  it('is bounded: strings, lists, maps and numbers', () => {
    const bounds: Record<string, (node: SchemaNode) => boolean> = {
      string: (n) => n.enum !== undefined || typeof n.maxLength === 'number',
      array: (n) => typeof n.maxItems === 'number',
      integer: (n) => typeof n.minimum === 'number' && typeof n.maximum === 'number',
      number: () => false,
      boolean: () => true,
      object: (n) => n.properties !== undefined || typeof n.maxProperties === 'number',
    }
    const unbounded = fields.filter(({ node }) => !bounds[node.type ?? '']?.(node))
    assert.deepEqual(
      unbounded.map(({ path }) => path),
      [],
    )
    assert.ok(fields.length > 100)
  })

  it('has a bound of its own where it is text, not the one that every text gets', () => {
    const fallback = structuralSchema(z.string()).maxLength
    const loose = fields.filter(
      ({ node: { type, maxLength, pattern, enum: values } }) =>
        type === 'string' &&
        values === undefined &&
        pattern === undefined &&
        maxLength === fallback,
    )
    // a condition in CEL may be as long as that
    assert.deepEqual(
      loose.map(({ path }) => path).filter((path) => !path.endsWith('.when')),
      [],
    )
  })

  it('says in words what it is, for `kubectl explain`', () => {
    const mute = fields.filter(
      ({ path, node }) => !/[\]}]$|^\w+\.(spec|status)$/.test(path) && !node.description,
    )
    assert.deepEqual(
      mute.map(({ path }) => path),
      [],
    )
  })
})

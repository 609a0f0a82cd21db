import { z } from 'zod'
import { celRules, group, type Kind, version } from './kinds/kind.ts'

/** A JSON schema node, as zod emits it and as a CRD carries it. */
export interface SchemaNode {
  [keyword: string]: unknown
  type?: string
  properties?: Record<string, SchemaNode>
  items?: SchemaNode
  additionalProperties?: SchemaNode | boolean
  anyOf?: SchemaNode[]
}

export type Manifest = Record<string, unknown>

/** Strings without a bound of their own: CEL cost estimates and etcd both want one. */
const defaultMaxLength = 4096
/** The same for maps, which zod cannot bound at all. */
const maxProperties = 64

/**
 * The structural schema of a zod schema. What zod emits and the API server refuses is rewritten
 * (unions of strings, `const`, `additionalProperties: false`, key bounds); what zod drops
 * (refinements) comes from {@link celRules}. Strict objects keep unknown keys, so that the generated
 * admission policy can see and refuse them: plain REST would prune them with a mere warning.
 */
export function structuralSchema(schema: z.ZodType): SchemaNode {
  const node = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const rules = celRules.get(zodSchema as unknown as z.ZodType)?.rules
      if (rules)
        Object.assign(jsonSchema, { 'x-kubernetes-validations': rules.map((r) => ({ ...r })) })
    },
  }) as SchemaNode
  return structural(node)
}

function structural(node: SchemaNode): SchemaNode {
  const { $schema: _, propertyNames: keys, const: value, ...rest } = node
  const out: SchemaNode = rest
  if (value !== undefined) Object.assign(out, { type: typeof value, enum: [value] })
  if (out.anyOf) return oneString(out)
  if (typeof out.type !== 'string') {
    throw new TypeError(`a CRD cannot carry ${JSON.stringify(out)}: every value has one type`)
  }
  if (out.type === 'string' && out.enum === undefined) out.maxLength ??= defaultMaxLength
  if (out.items) out.items = structural(out.items)
  if (out.additionalProperties === false) {
    delete out.additionalProperties
    out['x-kubernetes-preserve-unknown-fields'] = true
  } else if (typeof out.additionalProperties === 'object') {
    out.additionalProperties = structural(out.additionalProperties)
    out.maxProperties ??= maxProperties
    const bound = keyRule(keys)
    const rules = Array.isArray(out['x-kubernetes-validations'])
      ? out['x-kubernetes-validations']
      : []
    if (bound) out['x-kubernetes-validations'] = [...rules, bound]
  }
  if (out.properties) {
    out.properties = Object.fromEntries(
      Object.entries(out.properties).map(([key, child]) => [key, structural(child)]),
    )
  }
  return out
}

/** A structural schema cannot say anything about the keys of a map; CEL can. */
function keyRule(keys: unknown): { rule: string; message: string } | undefined {
  if (typeof keys !== 'object' || keys === null) return undefined
  const { maxLength, ...others } = keys as SchemaNode
  const known = Object.keys(others).every((keyword) => keyword === 'type')
  if (typeof maxLength !== 'number' || !known) {
    throw new TypeError(
      `a CRD cannot carry the keys ${JSON.stringify(keys)}: give them a maximum length`,
    )
  }
  return {
    rule: `self.all(k, size(k) <= ${maxLength})`,
    message: `a key has at most ${maxLength} characters`,
  }
}

/** A union of fixed and patterned strings as one string with one pattern. */
function oneString({ anyOf = [], ...rest }: SchemaNode): SchemaNode {
  const patterns = anyOf.map((branch) => {
    if (typeof branch.const === 'string') return `^${branch.const.replace(/[*.+?]/g, '\\$&')}$`
    if (branch.type === 'string' && typeof branch.pattern === 'string') return branch.pattern
    throw new TypeError(`a CRD cannot carry the union member ${JSON.stringify(branch)}`)
  })
  const lengths = anyOf.map((b) => {
    if (typeof b.const === 'string') return b.const.length
    return typeof b.maxLength === 'number' ? b.maxLength : defaultMaxLength
  })
  return {
    ...rest,
    type: 'string',
    pattern: patterns.map((p) => `(${p})`).join('|'),
    maxLength: Math.max(...lengths),
  }
}

/** The CustomResourceDefinition of one of our kinds. */
export function crdOf(kind: Kind): Manifest {
  const spec = structuralSchema(kind.spec)
  if (kind.immutable) {
    const rules = (spec['x-kubernetes-validations'] ?? []) as object[]
    const rule = { rule: 'self == oldSelf', message: 'the spec never changes; create a new object' }
    spec['x-kubernetes-validations'] = [...rules, rule]
  }
  const properties = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec,
    ...(kind.status && { status: statusSchema(kind.status) }),
  }
  const { plural, singular, shortName, scope } = kind
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: { 'app.kubernetes.io/name': 'jackstay', 'app.kubernetes.io/part-of': 'jackstay' },
    },
    spec: {
      group,
      scope,
      names: {
        ...{ kind: kind.kind, listKind: `${kind.kind}List`, plural, singular },
        shortNames: [shortName],
        categories: ['jackstay'],
      },
      versions: [
        {
          ...{ name: version, served: true, storage: true },
          ...(kind.status && { subresources: { status: {} } }),
          additionalPrinterColumns: kind.columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: kind.summary,
              required: ['spec'],
              'x-kubernetes-preserve-unknown-fields': true,
              properties,
            },
          },
        },
      ],
    },
  }
}

/** Status is ours to write: what is unknown in it may be pruned as usual. */
function statusSchema(status: z.ZodType): SchemaNode {
  return withoutUnknown(structuralSchema(status))
}

function withoutUnknown(node: SchemaNode): SchemaNode {
  const { 'x-kubernetes-preserve-unknown-fields': _, ...out } = node
  if (out.items) out.items = withoutUnknown(out.items)
  if (out.properties) {
    out.properties = Object.fromEntries(
      Object.entries(out.properties).map(([key, child]) => [key, withoutUnknown(child)]),
    )
  }
  return out
}

/**
 * CEL expressions, each true when an object carries no key that its kind does not know. One per
 * strict object level, with the path for the message.
 */
export function knownKeyRules(
  kind: Kind,
): { readonly path: string; readonly expression: string }[] {
  const known = ['apiVersion', 'kind', 'metadata', 'spec', ...(kind.status ? ['status'] : [])]
  const names = known.map((key) => `'${key}'`).join(', ')
  const rules = [{ path: '', expression: `dyn(object).all(k, k in [${names}])` }]
  collect(structuralSchema(kind.spec), 'spec', (inner) => inner('dyn(object).spec'), 0, rules)
  return rules
}

/** Wraps a condition on one node into a condition on the whole object. */
type Scope = (condition: (self: string) => string) => string

function collect(
  node: SchemaNode,
  path: string,
  scope: Scope,
  depth: number,
  rules: { path: string; expression: string }[],
): void {
  const properties = Object.entries(node.properties ?? {})
  if (node['x-kubernetes-preserve-unknown-fields'] === true) {
    const keys = properties.map(([key]) => `'${key}'`).join(', ')
    const key = `k${depth}`
    rules.push({ path, expression: scope((self) => `${self}.all(${key}, ${key} in [${keys}])`) })
  }
  for (const [key, child] of properties) {
    const below = `${path}.${key}`
    if (child.items) {
      const item = `v${depth}`
      const each: Scope = (condition) =>
        scope((self) => `${self}.?${key}.orValue([]).all(${item}, ${condition(item)})`)
      collect(child.items, `${below}[]`, each, depth + 1, rules)
    } else if (child.properties) {
      const inside: Scope = (condition) => scope((self) => condition(`${self}.?${key}.orValue({})`))
      collect(child, below, inside, depth + 1, rules)
    }
  }
}

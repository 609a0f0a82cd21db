import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { up } from '@jackstay/cluster/cluster'
import { versions } from '@jackstay/cluster/versions'
import { connect } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { isRecord } from '@jackstay/kube/resources'
import { Registry } from '@jackstay/lab/kubernetes/resources/registry'
import { apiVersionOf } from '@jackstay/lab/kubernetes/resources/resource'

/*
 * Writes down which fields the kinds have that the lab serves, as a real API server's OpenAPI tells it, with
 * their numbers in protobuf from the Go modules that it was built of: after a newer Kubernetes, or a new kind.
 * Its argument is the folder of Go modules with `k8s.io` in it.
 */
type Json = Readonly<Record<string, unknown>>

/** What is sent to subresources, and what other programs look for. */
const more = [
  ...['v1 DeleteOptions', 'v1 Binding', 'v1 Endpoints', 'events.k8s.io/v1 Event'],
  ...['autoscaling/v1 Scale', 'policy/v1 Eviction', 'authentication.k8s.io/v1 TokenRequest'],
]
const served = new Registry().all().map((one) => `${apiVersionOf(one)} ${one.kind}`)
const servedKinds = [...new Set([...served, ...more])]

const [modules = ''] = process.argv.slice(2)
const target = join(import.meta.dirname, '../../../lab/kubernetes/types/recordings/types.json')
const cluster = await up({ mode: 'control-plane' })
try {
  const client = connect(loadConfig({ kubeconfig: cluster.kubeconfig }), {
    ...{ userAgent: 'jackstay-conformance', timeoutMs: 30_000 },
  })
  const schemas = await schemasOf(async (path) => {
    const { status, body } = await client.request({ method: 'GET', path })
    if (status !== 200 || !isRecord(body)) throw new Error(`GET ${path}: ${status}`)
    return body
  })
  await client.close()
  const text = recorded(schemas, messagesOf(modules), leftOutFields(modules))
  writeFileSync(target, text)
  process.stdout.write(`recorded ${text.length} bytes\n`)
} finally {
  await cluster.down()
}

async function schemasOf(get: (path: string) => Promise<Json>): Promise<Map<string, Json>> {
  const groups = new Set(servedKinds.map((name) => name.split(' ')[0] ?? ''))
  const all = new Map<string, Json>()
  for (const group of groups) {
    const root = group.includes('/') ? 'apis' : 'api'
    const { components } = await get(`/openapi/v3/${root}/${group}`)
    const schemas = isRecord(components) && isRecord(components.schemas) ? components.schemas : {}
    for (const [name, schema] of Object.entries(schemas)) {
      if (isRecord(schema)) all.set(shortName(name), schema)
    }
  }
  return all
}

function shortName(name: string): string {
  return name.replace('#/components/schemas/', '').replace(/^io\.k8s\./, '')
}

/** `v1.37.2` of Kubernetes is `v0.37.2` of its libraries. */
function sources(folder: string, files: string): readonly string[] {
  const version = `v${versions.kubernetes.replace(/^1/, '0')}`
  const cwd = join(folder, 'k8s.io')
  return globSync(`{api,apimachinery,apiextensions-apiserver}@${version}/**/${files}`, { cwd })
}

/** `type.field` of all that is left out of JSON where it is zero, empty or false. */
function leftOutFields(folder: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const file of sources(folder, 'types*.go')) {
    const name = dirname(file)
      .replace(/@[^/]+/, '')
      .replaceAll('/', '.')
    let struct = ''
    for (const line of readFileSync(join(folder, 'k8s.io', file), 'utf8').split('\n')) {
      struct = /^type (\w+) struct/.exec(line)?.[1] ?? struct
      const field = /^\s+\w+\s+[\w.]+\s+`json:"([\w$-]+),omitempty/.exec(line)?.[1]
      if (field !== undefined) found.add(`${name}.${struct}.${field}`)
    }
  }
  return found
}

type Messages = ReadonlyMap<string, ReadonlyMap<string, { number: string; type: string }>>

/** The fields of every message by its name. */
function messagesOf(folder: string): Messages {
  const known = new Map<string, Map<string, { number: string; type: string }>>()
  for (const file of sources(folder, 'generated.proto')) {
    const text = readFileSync(join(folder, 'k8s.io', file), 'utf8')
    const name = /^package k8s\.io\.(.+);$/m.exec(text)?.[1] ?? ''
    let message = ''
    for (const line of text.split('\n')) {
      message = /^message (\w+) \{/.exec(line)?.[1] ?? message
      const found = /^ {2}(?:(?:optional|repeated) ([\w.]+)|map<.*>) (\w+) = (\d+);/.exec(line)
      if (found === null) continue
      const [, said = '', field = '', number = ''] = found
      const type = said.startsWith('.') ? said.replace('.k8s.io.', '') : `${name}.${said}`
      const fields = known.get(`${name}.${message}`) ?? new Map()
      known.set(`${name}.${message}`, fields.set(field, { number, type }))
    }
  }
  return known
}

/** Such as `4`, or `2.4` for a field of a message that JSON has no word for; `0` for none. */
function numberOf(
  messages: Messages,
  message: string,
  field: string,
  inJson: readonly string[],
): string {
  const fields = messages.get(message) ?? new Map()
  const own = fields.get(field)?.number
  if (own !== undefined) return own
  for (const [name, { number, type }] of fields) {
    const below = inJson.includes(name) ? '0' : numberOf(messages, type, field, [])
    if (below !== '0') return `${number}.${below}`
  }
  return '0'
}

function recorded(
  schemas: ReadonlyMap<string, Json>,
  messages: Messages,
  leftOut: ReadonlySet<string>,
): string {
  const kinds = new Map<string, string>()
  for (const [name, schema] of schemas) {
    const said: unknown = schema['x-kubernetes-group-version-kind']
    for (const kind of Array.isArray(said) ? said.filter(isRecord) : []) {
      const { group, version } = kind
      const key = `${group === '' ? version : `${group}/${version}`} ${kind.kind}`
      if (servedKinds.includes(key)) kinds.set(key, name)
    }
  }
  const missing = servedKinds.filter((key) => !kinds.has(key))
  if (missing.length > 0) throw new Error(`the server has no ${missing.join(', ')}`)
  const types = new Map<string, string>()
  for (const name of kinds.values()) addType(name)
  const lines = (map: ReadonlyMap<string, string>) =>
    [...map]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${JSON.stringify(key)}: ${value}`)
  const named = lines(new Map([...kinds].map(([key, name]) => [key, JSON.stringify(name)])))
  return `{"kinds": {\n${named.join(',\n')}\n},\n"types": {\n${lines(types).join(',\n')}\n}}\n`

  function addType(name: string): void {
    if (types.has(name)) return
    const { properties, required = [], ...rest } = schemas.get(name) ?? {}
    types.set(name, '')
    if (!isRecord(properties)) {
      types.set(name, JSON.stringify(oddType(name, rest)))
      return
    }
    const demanded: readonly unknown[] = Array.isArray(required) ? required : []
    const fields = Object.entries(properties).map(([field, schema]) => {
      const number = numberOf(messages, name, field, Object.keys(properties))
      const { type, values } = typeOf(isRecord(schema) ? schema : {}, addType)
      const isPlain = ['string', 'int32', 'int64', 'double', 'boolean'].includes(type)
      const isLeftOut = isPlain && leftOut.has(`${name}.${field}`)
      const mark = demanded.includes(field) ? '!' : isLeftOut ? '?' : ''
      return [field, [`${number}${mark}`, type, ...(values ? [values] : [])].join(' ')]
    })
    types.set(name, JSON.stringify(Object.fromEntries(fields)))
  }
}

/** What has no fields of its own. */
function oddType(name: string, { type, format }: Json): string {
  if (name.endsWith('.Quantity')) return 'quantity'
  if (name.endsWith('.IntOrString')) return 'int-or-string'
  if (format === 'date-time') return 'date-time'
  return type === 'object' ? 'map' : 'any'
}

function typeOf(
  schema: Json,
  seen: (name: string) => void,
): { readonly type: string; readonly values?: string } {
  const inner: unknown = Array.isArray(schema.allOf) ? schema.allOf[0] : schema
  if (isRecord(inner) && typeof inner.$ref === 'string') {
    const name = shortName(inner.$ref)
    seen(name)
    return { type: `@${name}` }
  }
  const { type, format, items, additionalProperties, enum: values } = schema
  if (type === 'array') return { type: `[${typeOf(isRecord(items) ? items : {}, seen).type}` }
  if (isRecord(additionalProperties)) return { type: `{${typeOf(additionalProperties, seen).type}` }
  if (Array.isArray(values)) return { type: 'string', values: values.join('|') }
  return { type: String(format ?? type) }
}

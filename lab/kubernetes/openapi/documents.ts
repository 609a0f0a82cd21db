import { isRecord } from '@jackstay/kube/resources'
import type { Registry } from '../resources/registry.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { groupVersionKind, type Json, Schemas } from './schemas.ts'

/** `api/v1` or `apis/apps/v1`. */
function pathOf(apiVersion: string): string {
  return `${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}`
}

/** `/openapi/v3`: where the document of each group and version is. */
export function openApiIndex(registry: Registry): Json {
  const all = new Set(registry.all().map(apiVersionOf))
  const paths = [...all].sort().map((apiVersion) => {
    const path = pathOf(apiVersion)
    // custom kinds come and go: clients ask again for what is under another hash
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${registry.generation}` }]
  })
  return { paths: Object.fromEntries(paths) }
}

/** The document of one group and version; undefined where there is none. */
export function openApiDocument(
  registry: Registry,
  path: string,
  version: string,
): Json | undefined {
  const served = registry.all().filter((one) => pathOf(apiVersionOf(one)) === path)
  if (served.length === 0) return undefined
  const schemas = new Schemas()
  const paths = served.flatMap((resource) => {
    const name = schemaOf(resource, schemas)
    return name === undefined ? [] : pathsOf(resource, `/${path}`, name)
  })
  return {
    ...{ openapi: '3.0.0', info: { title: 'Kubernetes', version } },
    paths: Object.fromEntries(paths),
    components: { schemas },
  }
}

function schemaOf(resource: Resource, schemas: Schemas): string | undefined {
  const { custom, kind, version } = resource
  const apiVersion = apiVersionOf(resource)
  if (custom === undefined) return schemas.addKind(apiVersion, kind)
  const versions = isRecord(custom.spec) ? custom.spec.versions : undefined
  const found: unknown = Array.isArray(versions)
    ? versions.find((one) => isRecord(one) && one.name === version)
    : undefined
  const schema =
    isRecord(found) && isRecord(found.schema) ? found.schema.openAPIV3Schema : undefined
  return schemas.addCustomKind(apiVersion, kind, isRecord(schema) ? schema : {})
}

type Path = readonly [path: string, operations: Json]

function pathsOf(resource: Resource, prefix: string, schema: string): readonly Path[] {
  const { plural, namespaced, verbs } = resource
  const content = (type: string) => ({
    [type]: { schema: { $ref: `#/components/schemas/${schema}` } },
  })
  const does = (verb: Resource['verbs'][number], method: string, action: string): Json =>
    verbs.includes(verb) ? { [method]: operation(resource, action, content) } : {}
  const all = { ...does('list', 'get', 'list'), ...does('create', 'post', 'post') }
  const one = {
    ...{ ...does('get', 'get', 'get'), ...does('update', 'put', 'put') },
    ...{ ...does('patch', 'patch', 'patch'), ...does('delete', 'delete', 'delete') },
  }
  const where = namespaced ? `${prefix}/namespaces/{namespace}/${plural}` : `${prefix}/${plural}`
  return [[where, all], ...(Object.keys(one).length > 0 ? [[`${where}/{name}`, one] as const] : [])]
}

const query = (name: string) => ({ name, in: 'query', schema: { type: 'string' } })

function operation(resource: Resource, action: string, content: (type: string) => Json): Json {
  const isWrite = action === 'post' || action === 'put' || action === 'patch'
  const names = isWrite
    ? ['dryRun', 'fieldManager', 'fieldValidation', ...(action === 'patch' ? ['force'] : [])]
    : []
  const bodies = action === 'patch' ? patches(resource) : isWrite ? ['application/json'] : []
  return {
    ...(names.length > 0 && { parameters: names.map(query) }),
    ...(bodies.length > 0 && {
      requestBody: { content: Object.assign({}, ...bodies.map(content)), required: true },
    }),
    responses: { 200: { description: 'OK', content: content('application/json') } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': groupVersionKind(apiVersionOf(resource), resource.kind),
  }
}

function patches({ custom }: Resource): readonly string[] {
  return [
    ...['application/apply-patch+yaml', 'application/json-patch+json'],
    'application/merge-patch+json',
    ...(custom === undefined ? ['application/strategic-merge-patch+json'] : []),
  ]
}

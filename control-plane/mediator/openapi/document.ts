import { z } from 'zod'
import { type Content, type Credential, type Route, routes, schemas } from './routes.ts'

const scheme = (description: string) => ({ type: 'http', scheme: 'bearer', description })
const securitySchemes: Readonly<Record<Credential, ReturnType<typeof scheme>>> = {
  agent: scheme("an agent's Pod-bound token for the audience `jackstay-intent`"),
  person: scheme('a token of the ServiceAccount jackstay-reader for the audience `jackstay-read`'),
  triggerMaker: scheme('a token of jackstay-trigger-maker whose audience names its maker'),
  alertmanager: scheme('the token in the file `--alert-token-file`'),
}

/** The mediator's HTTP API as OpenAPI 3.1, from the schemas that its routes parse by. */
export function openApiDocument(version: string) {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Jackstay mediator', version, license: { name: 'Apache-2.0' } },
    paths,
    components: { schemas: componentSchemas(), securitySchemes },
  }
}

function operation(route: Route): Record<string, unknown> {
  const { summary, callers, body, answers } = route
  const responses = Object.entries(answers).map(([status, content]) => [
    status,
    { description: status.startsWith('2') ? 'done' : 'not now', content: media(content) },
  ])
  const parameters = [...pathParameters(route.path), ...queryParameters(route)]
  return {
    summary,
    security: callers.map((name) => ({ [name]: [] })),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: media({ json: body }) } }),
    responses: {
      ...Object.fromEntries(responses),
      default: { description: 'refused', content: media({ json: 'Error' }) },
    },
  }
}

function media(content: Content): Record<string, unknown> {
  if ('json' in content) return { 'application/json': { schema: { $ref: refOf(content.json) } } }
  return { [content.type]: {} }
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }))
}

function queryParameters({ query }: Route): object[] {
  if (query === undefined) return []
  const { properties = {} } = z.toJSONSchema(query, { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }))
}

function refOf(name: string): string {
  return `#/components/schemas/${name}`
}

function componentSchemas(): Record<string, unknown> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id })
  const made = z.toJSONSchema(registry, { io: 'input', uri: refOf })
  return Object.fromEntries(
    Object.entries(made.schemas).map(([name, { $id, $schema, ...schema }]) => [name, schema]),
  )
}

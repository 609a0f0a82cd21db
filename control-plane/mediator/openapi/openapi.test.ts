import assert from 'node:assert/strict'
import { it } from 'node:test'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { type AppParts, mediatorApp } from '../app.ts'
import { openApiDocument } from './document.ts'

const shell = {
  name: 'jackstay-mediator',
  log: logger({ name: 'test', redact: (text) => text }),
  metrics: metrics({ name: 'test' }),
}
// registering routes asks no port anything
const app = mediatorApp({ shell } as AppParts)

it('every route of the app is in the document, and nothing else', () => {
  const served = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(
      ({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}').replace('*', '{path}')}`,
    )
  const described = Object.entries(openApiDocument('1').paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(described.toSorted(), served.toSorted())
})

it('anybody may read it, and every reference in it leads somewhere', async () => {
  const answer = await app.request('/openapi.json')
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
  const text = await answer.text()
  const { openapi, components, paths } = JSON.parse(text)
  assert.equal(openapi, '3.1.0')
  const refs = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref)
  assert.ok(refs.length > 40)
  for (const ref of refs) {
    const name = ref.replace('#/components/schemas/', '')
    assert.ok(components.schemas[name] !== undefined, ref)
  }
  const { post } = paths['/v1/intents']
  const { $ref } = post.requestBody.content['application/json'].schema
  assert.equal($ref, '#/components/schemas/IntentSubmission')
  assert.deepEqual(components.schemas.IntentSubmission.required, ['jws', 'reasoning'])
  assert.deepEqual(components.schemas.IntentSubmission.additionalProperties, false)
  const wait = { name: 'wait', in: 'query', schema: post.parameters[0].schema }
  assert.deepEqual(post.parameters, [wait])
  assert.equal(wait.schema.maximum, 60)
})

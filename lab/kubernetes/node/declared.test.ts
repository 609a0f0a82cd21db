import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { wellBehaved } from './behaviour.ts'
import { declaredBehaviours } from './declared.ts'
import { answers } from './probes.ts'

function declared(text: string, namespace = 'jackstay-lab') {
  const errors: unknown[] = []
  const map = { metadata: { name: 'images', namespace }, data: { shop: text } }
  return { errors, of: declaredBehaviours([map], (error) => errors.push(error)) }
}

describe('declared images', () => {
  it('do what is said of them; a repository with declared tags has no others', () => {
    const { of, errors } = declared(`
shop/web:1: {serves: [{port: 8080, path: /healthz}], load: 1500m}
shop/web:2: {exit: {code: 1}, readyMs: never}
shop/web:3: {memory: 300Mi}
`)
    assert.deepEqual(errors, [])
    assert.deepEqual(of('shop/web:1'), {
      ...wellBehaved,
      ...{ serves: [{ port: 8080, path: '/healthz' }], load: 1.5 },
    })
    assert.deepEqual(of('shop/web:2')?.exit, { code: 1, afterMs: 1000 })
    assert.equal(of('shop/web:2')?.readyMs, undefined)
    assert.equal(of('shop/web:3')?.memory, 300 * 2 ** 20)
    assert.equal(of('shop/web:4'), undefined)
    assert.equal(of('registry:5000/other'), wellBehaved)
  })

  it('are told where nobody can read them, and by nobody else', () => {
    const { of, errors } = declared('shop/web:1: {colour: red}')
    assert.equal(errors.length, 1)
    assert.match(
      String(errors[0]),
      /`shop` of ConfigMap `jackstay-lab\/images` is no table of images/,
    )
    assert.equal(of('shop/web:1'), wellBehaved)
    assert.equal(declared('shop/web:1: {exit: {code: 1}}', 'shop').of('shop/web:1'), wellBehaved)
  })
})

describe('a probe', () => {
  const behaviour = { ...wellBehaved, serves: [{ port: 8080, path: '/healthz' }, { port: 9090 }] }
  const asks = (readinessProbe: object) =>
    answers(
      { name: 'c', ports: [{ name: 'http', containerPort: 8080 }], readinessProbe },
      'readinessProbe',
      behaviour,
    )
  it('is answered at the port and path that are served', () => {
    assert.ok(asks({ httpGet: { port: 8080, path: '/healthz' } }))
    assert.ok(asks({ httpGet: { port: 'http', path: '/healthz' } }))
    assert.ok(asks({ httpGet: { port: 9090, path: '/any' } }))
    assert.ok(asks({ tcpSocket: { port: 8080 } }))
    assert.ok(!asks({ httpGet: { port: 8080, path: '/health' } }))
    assert.ok(!asks({ httpGet: { port: 'https', path: '/healthz' } }))
    assert.ok(!asks({ tcpSocket: { port: 80 } }))
    assert.ok(answers({ name: 'c' }, 'readinessProbe', behaviour))
  })
})

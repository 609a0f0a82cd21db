import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorBody, JackstayError } from '@jackstay/contract/errors'
import { triggerFor, viewIn } from './incident-world.ts'
import { type Fetch, sidecarAt } from './sidecar.ts'

const signal = new AbortController().signal

function answering(body: unknown, status = 200) {
  const asked: { url: string; init: RequestInit }[] = []
  const fetch: Fetch = async (url, init) => {
    asked.push({ url, init })
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status })
  }
  return { asked, sidecar: sidecarAt('http://127.0.0.1:7442/', fetch) }
}

describe('sidecarAt', () => {
  it('asks without any credential', async () => {
    const { asked, sidecar } = answering({ triggers: [triggerFor()] })
    assert.equal((await sidecar.triggers(30, signal)).length, 1)
    assert.equal(asked[0]?.url, 'http://127.0.0.1:7442/v1/triggers?wait=30')
    assert.equal(new Headers(asked[0]?.init.headers).get('authorization'), null)
  })

  it('sends a proposal with at most 16 pieces of evidence', async () => {
    const { asked, sidecar } = answering(viewIn('approve'), 202)
    const proposal = {
      kind: 'propose',
      action: 'workload.scale',
      target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      params: { replicas: 2 },
      summary: 'it is at zero',
    } as const
    const one = { uri: 'k8s:x', digest: `sha256:${'0'.repeat(64)}` } as const
    const because = { evidence: Array.from({ length: 20 }, () => one), triggerId: 't' }
    await sidecar.propose(proposal, because, signal)
    const body = JSON.parse(String(asked[0]?.init.body))
    assert.equal(asked[0]?.url, 'http://127.0.0.1:7442/v1/actions/workload.scale')
    assert.equal(body.reasoning.evidence.length, 16)
    assert.deepEqual(Object.keys(body).sort(), ['params', 'reasoning', 'target', 'trigger'])
  })

  it('keeps the code of an error, and calls anything else no sidecar', async () => {
    const refused = answering(errorBody(new JackstayError('forbidden', 'no')), 403)
    await assert.rejects(refused.sidecar.triggers(0, signal), { code: 'forbidden' })
    for (const [body, status] of [
      ['<html>', 200],
      [{}, 200],
      ['oops', 500],
      [{}, 500],
    ] as const) {
      await assert.rejects(answering(body, status).sidecar.triggers(0, signal), {
        code: 'upstream_unavailable',
      })
    }
  })
})

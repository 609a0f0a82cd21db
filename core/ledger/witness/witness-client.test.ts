import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { signCheckpoint } from '../log/checkpoint.ts'
import {
  cosignatureVerifier,
  cosignerFromSkey,
  formatCosignerSkey,
  withSignatures,
} from '../log/cosignature.ts'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { openNote, splitNote, verifierFromVkey } from '../log/note.ts'
import { parseAddCheckpoint } from './add-checkpoint.ts'
import type { WitnessedTree } from './witness.ts'
import { type GrownLog, grownLog } from './witness-builder.ts'
import { type Requester, requestCosignature } from './witness-client.ts'
import { type WitnessState, witnessHandler } from './witness-handler.ts'

const key = ledgerKeyFrom(generateSkey('log.example'))
const log = verifierFromVkey(key.vkey)
const cosigner = cosignerFromSkey(formatCosignerSkey('w.example/w1', Buffer.alloc(32, 9)))
const stranger = cosignerFromSkey(formatCosignerSkey('w.example/w1', Buffer.alloc(32, 8)))
const witness = {
  url: new URL('https://w.example/w1'),
  verifier: cosignatureVerifier(cosigner.vkey),
}

/** A witness in memory that has seen `tree`. */
function farEnd(tree?: WitnessedTree) {
  const seen = new Map(tree === undefined ? [] : [[key.name, tree]])
  const state: WitnessState = {
    read: async (origin) => seen.get(origin),
    replace: async (origin, _, next) => Boolean(seen.set(origin, next)),
  }
  const clock = { now: () => 1_700_000_000_000 }
  return witnessHandler({ cosigner, logs: new Map([[key.name, [log]]]), state, clock })
}

function requester(answer: (request: Request) => Promise<Response>) {
  const bodies: string[] = []
  const waits: number[] = []
  const options: Requester = {
    fetch: async (url, init) => {
      bodies.push(init.body)
      assert.equal(url.href, 'https://w.example/w1/add-checkpoint')
      assert.equal(init.redirect, 'error')
      return answer(new Request(url, { method: 'POST', body: init.body }))
    },
    signal: new AbortController().signal,
    timeoutMs: 5000,
    wait: async (ms) => void waits.push(ms),
    random: () => 0.5,
  }
  return { options, bodies, waits }
}

function request(grown: GrownLog, size: number, knownSize = 0) {
  const note = signCheckpoint({ origin: key.name, size, root: grown.root(size) }, [key])
  const prove = async (from: number, to: number) => grown.consistency(from, to)
  return { witness, log, note, knownSize, prove }
}

describe('requestCosignature', () => {
  it('gets a cosignature and asks again from the size the witness names', async () => {
    const grown = grownLog(50)
    const { options, bodies } = requester(farEnd({ size: 30, root: grown.root(30) }))
    for (const knownSize of [0, 30, 47]) {
      const asked = request(grown, 50, knownSize)
      const answer = await requestCosignature(asked, options)
      assert.equal(answer.kind, 'cosigned')
      const lines = answer.kind === 'cosigned' ? answer.lines : []
      assert.ok(openNote(withSignatures(asked.note, lines), [witness.verifier]).ok)
    }
    const sizes = bodies.map((body) => parseAddCheckpoint(body)?.oldSize)
    assert.deepEqual(sizes, [0, 30, 30, 50, 47, 50])
  })

  it('sends the signature of the log alone', async () => {
    const grown = grownLog(3)
    const { options, bodies } = requester(farEnd())
    const asked = request(grown, 3)
    const text = splitNote(asked.note)?.text ?? ''
    const note = withSignatures(asked.note, [stranger.cosign(text, 1), cosigner.cosign(text, 1)])
    assert.equal((await requestCosignature({ ...asked, note }, options)).kind, 'cosigned')
    assert.equal(parseAddCheckpoint(bodies[0] ?? '')?.checkpoint, asked.note)
  })

  it('T69: says that the witness contradicts a truncated, forked or replaced log', async () => {
    const honest = grownLog(50)
    const seen = { size: 30, root: honest.root(30) }
    const forgeries = {
      'truncated tail': [request(honest, 20), 30],
      'fork below what was seen': [request(grownLog(50, { from: 29 }), 50), undefined],
      'full replacement': [request(grownLog(50, { from: 0 }), 50), undefined],
      'same size, other tree': [request(grownLog(50, { from: 7 }), 30), 30],
    } as const
    for (const [name, [asked, witnessSize]] of Object.entries(forgeries)) {
      const answer = await requestCosignature(asked, requester(farEnd(seen)).options)
      assert.equal(answer.kind, 'contradicts', name)
      assert.equal(answer.kind === 'contradicts' && answer.witnessSize, witnessSize, name)
    }
  })

  it('believes no cosignature but that of the key it knows', async () => {
    const asked = request(grownLog(3), 3)
    const text = splitNote(asked.note)?.text ?? ''
    const good = cosigner.cosign(text, 5)
    const other = cosigner.cosign(text.replace('\n3\n', '\n2\n'), 5)
    const cases = [
      [stranger.cosign(text, 5), 'refused'],
      [other, 'refused'],
      ['', 'refused'],
      ['x'.repeat(70_000), 'refused'],
      [`${stranger.cosign(text, 5)}nonsense\n${good}`, 'cosigned'],
    ] as const
    for (const [body, kind] of cases) {
      const { options } = requester(async () => new Response(body))
      const answer = await requestCosignature(asked, options)
      assert.equal(answer.kind, kind, body.slice(0, 60))
      if (answer.kind === 'cosigned') assert.deepEqual(answer.lines, [good])
    }
  })

  it('tries again with growing waits where the witness is away, and gives up', async () => {
    const grown = grownLog(3)
    const up = farEnd()
    let failures = 2
    const flaky = requester(async (got) => {
      if (failures-- > 0) throw new TypeError('fetch failed')
      return up(got)
    })
    assert.equal((await requestCosignature(request(grown, 3), flaky.options)).kind, 'cosigned')
    assert.deepEqual(flaky.waits, [250, 500])
    const busy = requester(async () => new Response('', { status: 503 }))
    const answer = await requestCosignature(request(grown, 3), busy.options)
    assert.deepEqual(answer, { kind: 'unreachable', problem: 'it answered 503' })
    assert.equal(busy.bodies.length, 4)
    assert.equal(busy.waits.length, 3)
  })

  it('does not go round in circles with a witness that answers nonsense', async () => {
    const sizes = ['1', '2', '1', '2', '1', '2']
    const circling = requester(async () => {
      const headers = { 'content-type': 'text/x.tlog.size' }
      return new Response(`${sizes.shift()}\n`, { status: 409, headers })
    })
    const answer = await requestCosignature(request(grownLog(3), 3), circling.options)
    assert.equal(answer.kind, 'unreachable')
    assert.equal(circling.bodies.length, 4)
    const unknown = requester(async () => new Response('who?', { status: 404 }))
    const refused = await requestCosignature(request(grownLog(3), 3), unknown.options)
    assert.deepEqual(refused, { kind: 'refused', problem: 'it answered 404: who?' })
  })

  it('ends a request that hangs, and gives up at once when told to', async () => {
    const hanging = requester(() => new Promise(() => {}))
    const stop = new AbortController()
    const options: Requester = {
      ...hanging.options,
      signal: stop.signal,
      timeoutMs: 20,
      fetch: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.throwIfAborted()
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
      // what keeps the process awake until the deadline of a request is reached
      wait: async () => {},
    }
    const alive = setInterval(() => {}, 1000)
    const answer = await requestCosignature(request(grownLog(3), 3), options)
    assert.deepEqual(answer, { kind: 'unreachable', problem: 'it is too slow' })
    const stopped = requestCosignature(request(grownLog(3), 3), { ...options, timeoutMs: 60_000 })
    stop.abort(new Error('enough'))
    await assert.rejects(stopped, /enough/)
    clearInterval(alive)
  })
})

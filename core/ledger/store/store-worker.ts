import { parentPort, workerData } from 'node:worker_threads'
import { JackstayError } from '@jackstay/contract/errors'
import { ledgerKeyFrom } from '../log/key.ts'
import { openSqliteStore } from '../sqlite/store.ts'
import {
  type Answer,
  type Call,
  type Calls,
  type PlainAppend,
  plainLeaves,
  portable,
  type Report,
  readPlain,
  type StoreEngine,
  type StoreThread,
  unpackLeaf,
  writeAppended,
} from './store-calls.ts'

/** The thread that owns the database: takes calls, answers those of one commit together. */

const port = parentPort
if (port === null) throw new JackstayError('internal', 'the store thread was started as a program')
const { directory, origin, skey, queueLimit }: StoreThread = workerData

/** Stands where the caller's clock stood when it made the call that is being started. */
const clock = {
  time: 0,
  now: () => clock.time,
}

function report(message: Report, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer)
}

let answers: Answer[] = []
let appended: number[] = []
let buffers: ArrayBuffer[] = []
let scheduled = false

/** Answers that come in one turn leave in one message: those of one commit do. */
function sendSoon(): void {
  if (scheduled) return
  scheduled = true
  setImmediate(() => {
    const numbers = new Float64Array(appended)
    report({ kind: 'answers', answers, appended: numbers }, [...buffers, numbers.buffer])
    answers = []
    appended = []
    buffers = []
    scheduled = false
  })
}

function answer(next: Answer): void {
  answers.push(next)
  sendSoon()
}

async function run(store: StoreEngine, call: Call, leafBytes: ArrayBuffer) {
  clock.time = call.now
  const leaves =
    call.leaves === undefined ? [] : [call.leaves.map((leaf) => unpackLeaf(leafBytes, leaf))]
  return Reflect.apply(store[call.method], store, [...call.args, ...leaves])
}

function start(store: StoreEngine, call: Call, leafBytes: ArrayBuffer): void {
  run(store, call, leafBytes).then(
    (value) => answer({ id: call.id, value: movable(value) }),
    (error) => answer({ id: call.id, error: portable(error) }),
  )
}

function startPlain(store: StoreEngine, append: PlainAppend, leafBytes: ArrayBuffer): void {
  clock.time = append.now
  store.appendLeaves(append.reserved, plainLeaves(leafBytes, append)).then(
    ({ leafIndexes }) => {
      writeAppended(appended, append.id, leafIndexes)
      sendSoon()
    },
    (error) => answer({ id: append.id, error: portable(error) }),
  )
}

/** Copies bytes that are part of something larger, which would travel whole, and hands them over. */
function movable(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const copy = new Uint8Array(value)
    buffers.push(copy.buffer)
    return copy
  }
  if (Array.isArray(value)) return value.map(movable)
  if (value === null || typeof value !== 'object' || !('bytes' in value)) return value
  return { ...value, bytes: movable(value.bytes) }
}

try {
  const key = ledgerKeyFrom(skey)
  const fatal = (error: JackstayError) => report({ kind: 'fatal', error: portable(error) })
  const store = await openSqliteStore({ directory, origin, key, clock, queueLimit, fatal })
  port.on('message', ({ calls, plain, leafBytes }: Calls) => {
    const appends = readPlain(plain)
    for (const call of calls) {
      if (typeof call === 'number') {
        for (const append of appends.take(call)) startPlain(store, append, leafBytes)
      } else start(store, call, leafBytes)
    }
  })
  report({ kind: 'opened' })
} catch (error) {
  report({ kind: 'refused', error: portable(error) })
}

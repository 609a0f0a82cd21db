import { Worker } from 'node:worker_threads'
import { assertNever, JackstayError } from '@jackstay/contract/errors'
import { skeyOf } from '../log/key.ts'
import { isReserved, type PendingLeaf, pendingLeaf, prepareAppend } from './append-request.ts'
import { defaultQueueLimit } from './bounds.ts'
import { endProcess } from './end-process.ts'
import type {
  AppendLeavesOptions,
  AppendRequest,
  ErasableStore,
  NewLeaf,
  StoreOptions,
} from './store.ts'
import {
  type Answer,
  type Call,
  type Calls,
  isPlain,
  type PackedLeaf,
  packLeaves,
  portable,
  type Report,
  readAppended,
  revived,
  type StoreMethod,
  type StoreThread,
  writePlain,
} from './store-calls.ts'

/** Opens the store in a thread of its own, so that no sync ever stops the caller's event loop. */
export async function openThreadedStore(
  options: StoreOptions,
  start: (data: StoreThread) => Worker = startThread,
): Promise<ErasableStore> {
  const { directory, origin, key, queueLimit = defaultQueueLimit } = options
  const thread: StoreThread = { directory, origin, skey: skeyOf(key), queueLimit }
  const store = new ThreadedStore(start(thread), options, queueLimit)
  await store.opened
  return store
}

function startThread(workerData: StoreThread): Worker {
  return new Worker(new URL('./store-worker.ts', import.meta.url), { workerData })
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: unknown): void
}

class ThreadedStore implements ErasableStore {
  readonly origin: string
  readonly opened: Promise<void>
  readonly #worker: Worker
  readonly #options: StoreOptions
  readonly #limit: number
  readonly #waiting = new Map<number, Waiting>()
  #queued: (Call | number)[] = []
  #plain: number[] = []
  #leaves: PendingLeaf[] = []
  #leafBytes = 0
  #newest = 0
  #refusal: JackstayError | undefined
  #dead = false

  // a method of `Store` that only reaches the other thread is one line here
  readonly events = this.#method('events')
  readonly intent = this.#method('intent')
  readonly list = this.#method('list')
  readonly open = this.#method('open')
  readonly replay = this.#method('replay')
  readonly putTrigger = this.#method('putTrigger')
  readonly trigger = this.#method('trigger')
  readonly triggers = this.#method('triggers')
  readonly leaseTrigger = this.#method('leaseTrigger')
  readonly resolveTrigger = this.#method('resolveTrigger')
  readonly pruneTriggers = this.#method('pruneTriggers')
  readonly putNote = this.#method('putNote')
  readonly notes = this.#method('notes')
  readonly claim = this.#method('claim', { reserved: true })
  readonly renew = this.#method('renew', { reserved: true })
  readonly release = this.#method('release', { reserved: true })
  readonly hindrance = this.#method('hindrance')
  readonly checkpoint = this.#method('checkpoint')
  readonly size = this.#method('size')
  readonly tile = this.#method('tile')
  readonly entries = this.#method('entries')
  readonly leaf = this.#method('leaf')
  readonly inclusionProof = this.#method('inclusionProof')
  readonly consistencyProof = this.#method('consistencyProof')
  readonly redact = this.#method('redact')
  readonly holds = this.#method('holds')
  readonly putHold = this.#method('putHold')
  readonly liftHold = this.#method('liftHold')
  readonly minimum = this.#method('minimum')
  readonly planPrune = this.#method('planPrune')
  readonly prune = this.#method('prune')

  constructor(worker: Worker, options: StoreOptions, limit: number) {
    this.origin = options.origin
    this.#worker = worker
    this.#options = options
    this.#limit = limit
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.opened = promise
    this.#waiting.set(0, { resolve: () => resolve(), reject })
    worker.on('message', (report: Report) => this.#receive(report))
    worker.on('error', (cause) => this.#die(ended(cause)))
    worker.on('exit', () => this.#die(ended()))
  }

  async append(request: AppendRequest) {
    const { leaves, ...prepared } = prepareAppend(request)
    const { reserved } = prepared
    return this.#call<'append'>('append', [prepared], { reserved, leaves })
  }

  async appendLeaves(leaves: readonly NewLeaf[], { token }: AppendLeavesOptions = {}) {
    const reserved = isReserved(leaves)
    const pending = leaves.map((leaf) => pendingLeaf(leaf, undefined, token))
    if (!pending.every(isPlain)) {
      return this.#call<'appendLeaves'>('appendLeaves', [reserved], { reserved, leaves: pending })
    }
    this.#admit(reserved)
    const id = ++this.#newest
    const start = this.#leafBytes
    const lengths = pending.map((leaf) => this.#pack(leaf).length)
    writePlain(this.#plain, { id, now: this.#options.clock.now(), reserved, start, lengths })
    const last = this.#queued.at(-1)
    if (typeof last === 'number') this.#queued[this.#queued.length - 1] = last + 1
    else this.#queued.push(1)
    return this.#answer<'appendLeaves'>(id)
  }

  async close() {
    if (this.#refusal !== undefined) return
    const closing = this.#call<'close'>('close', [], { reserved: true })
    this.#refusal = new JackstayError('draining', 'the ledger is closed: open it again')
    await closing
    await this.#worker.terminate()
  }

  #method<M extends StoreMethod>(method: M, { reserved = false } = {}) {
    return (...args: Parameters<ErasableStore[M]>) => this.#call<M>(method, args, { reserved })
  }

  /** Joins the calls of this turn of the event loop; they leave in one message. */
  async #call<M extends StoreMethod>(
    method: M,
    args: readonly unknown[],
    { reserved, leaves }: { reserved: boolean; leaves?: readonly PendingLeaf[] },
  ): Promise<Awaited<ReturnType<ErasableStore[M]>>> {
    this.#admit(reserved)
    const id = ++this.#newest
    const packed = leaves?.map((leaf) => this.#pack(leaf))
    this.#queued.push({
      id,
      method,
      args,
      now: this.#options.clock.now(),
      ...(packed === undefined ? {} : { leaves: packed }),
    })
    return this.#answer<M>(id)
  }

  /** @throws JackstayError `overloaded`, or why nothing is taken any more */
  #admit(reserved: boolean): void {
    if (this.#refusal !== undefined) throw this.#refusal
    const limit = reserved ? this.#limit + Math.ceil(this.#limit / 8) : this.#limit
    if (this.#waiting.size >= limit) {
      throw new JackstayError(
        'overloaded',
        `the ledger has ${this.#waiting.size} calls waiting: try again after a moment`,
      )
    }
    if (this.#waiting.size === 0) this.#worker.ref()
    if (this.#queued.length === 0) setImmediate(() => this.#send())
  }

  #answer<M extends StoreMethod>(id: number): Promise<Awaited<ReturnType<ErasableStore[M]>>> {
    // The one place where an answer gets its type: the other thread called this very method.
    const answered = Promise.withResolvers<Awaited<ReturnType<ErasableStore[M]>>>()
    this.#waiting.set(id, answered as Waiting)
    return answered.promise
  }

  #pack(leaf: PendingLeaf): PackedLeaf {
    const { bytes, ...rest } = leaf
    const start = this.#leafBytes
    this.#leaves.push(leaf)
    this.#leafBytes += bytes.length
    return { ...rest, start, length: bytes.length }
  }

  #send(): void {
    const calls = this.#queued
    const plain = new Float64Array(this.#plain)
    const leafBytes = packLeaves(this.#leaves)
    this.#queued = []
    this.#plain = []
    this.#leaves = []
    this.#leafBytes = 0
    // what was taken before a `close` is still done; after the thread's end nobody listens
    if (this.#dead) return
    try {
      this.#post({ calls, plain, leafBytes })
    } catch (cause) {
      // one value that cannot be sent must not take the calls beside it along
      const bad = calls.filter((call) => typeof call === 'object' && !isSendable(call))
      if (bad.length === 0) throw cause
      for (const call of bad) {
        if (typeof call === 'object') this.#refuse(call)
      }
      this.#post({ calls: calls.filter((call) => !bad.includes(call)), plain, leafBytes })
    }
  }

  #post(calls: Calls): void {
    this.#worker.postMessage(calls, [calls.plain.buffer, calls.leafBytes])
  }

  #refuse({ id, method }: Call): void {
    const error = new JackstayError(
      'invalid_request',
      `\`${method}\` takes plain data: pass no functions`,
    )
    this.#settle({ id, error: portable(error) })
  }

  #receive(report: Report): void {
    switch (report.kind) {
      case 'opened':
        this.#settle({ id: 0, value: undefined })
        break
      case 'refused':
        this.#refusal = revived(report.error)
        this.#settle({ id: 0, error: report.error })
        break
      case 'answers':
        for (const answer of report.answers) this.#settle(answer)
        for (const { id, leafIndexes } of readAppended(report.appended)) {
          this.#settle({ id, value: { leafIndexes } })
        }
        break
      case 'fatal':
        this.#die(revived(report.error))
        break
      default:
        assertNever(report)
    }
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if ('error' in answer) waiting?.reject(revived(answer.error))
    else waiting?.resolve(answer.value)
  }

  /** What the store acknowledged is durable; of the rest nobody knows, so the program must end. */
  #die(error: JackstayError): void {
    if (this.#dead) return
    this.#dead = true
    if (this.#refusal !== undefined && this.#waiting.size === 0) return
    this.#refusal = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    const { fatal = endProcess } = this.#options
    fatal(error)
  }
}

function isSendable(call: Call): boolean {
  try {
    structuredClone(call)
    return true
  } catch {
    return false
  }
}

function ended(cause?: unknown): JackstayError {
  return new JackstayError(
    'not_ready',
    'the thread of the ledger has ended: restart the program, which checks the log first',
    cause === undefined ? {} : { cause },
  )
}

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { openStore } from '../store/store.ts'
import { origin } from '../store/store-builder.ts'
import { crashStates } from './crash/disk-states.ts'
import { buildTracer, type DiskOperation, readTrace } from './crash/disk-trace.ts'
import { type Acknowledged, wrongWith } from './crash/workload.ts'

const run = promisify(execFile)
/** The states are many and nothing here loses power: syncs may be free. */
const quick = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const skey = generateSkey(origin)
const key = ledgerKeyFrom(skey)
let folder = ''
let tracer: Awaited<ReturnType<typeof buildTracer>> = { missing: 'not built yet' }

before(async () => {
  folder = await mkdtemp(join(quick, 'jackstay-crash-'))
  tracer = await buildTracer(folder)
})
after(() => rm(folder, { recursive: true, force: true }))

async function traced(program: string, args: readonly string[], env: Record<string, string>) {
  assert.ok('path' in tracer)
  const file = join(import.meta.dirname, 'crash', program)
  return run(process.execPath, [file, ...args], {
    env: { ...process.env, ...env, LD_PRELOAD: tracer.path },
    maxBuffer: 16 * 1024 * 1024,
  })
}

const acknowledgedName = 'acknowledged'

/** Where the store had acknowledged what, among the operations without these notes. */
function apart(operations: readonly DiskOperation[]) {
  const disk: DiskOperation[] = []
  const acknowledged: { readonly from: number; readonly what: Acknowledged }[] = []
  for (const operation of operations) {
    if (operation.name !== acknowledgedName) disk.push(operation)
    else if (operation.kind === 'write') {
      acknowledged.push({ from: disk.length, what: JSON.parse(operation.data.toString()) })
    }
  }
  return { disk, acknowledged }
}

describe('T70 T72 a crash before and after every write and sync', () => {
  it('loses no acknowledged leaf, leaves no gap and is always opened again', async (t) => {
    if (skipped(t)) return
    const directory = join(folder, 'traced')
    const trace = join(folder, 'trace')
    await mkdir(directory)
    await traced('traced-writer.ts', [directory, skey], {
      DISK_TRACE_DIR: directory,
      DISK_TRACE_FILE: trace,
    })
    const { disk, acknowledged } = apart(await readTrace(trace))
    assert.equal(acknowledged.length, 18)
    const seen = new Set<string>()
    let states = 0
    for (const { point, how, key: state, files } of crashStates(disk)) {
      states++
      const known = acknowledged.filter(({ from }) => from <= point).map(({ what }) => what)
      if (seen.has(`${known.length} ${state}`)) continue
      seen.add(`${known.length} ${state}`)
      const wrong = await wrongAfter(files(), known)
      assert.equal(wrong, undefined, `after operation ${point} of ${disk.length}, ${how}`)
    }
    t.diagnostic(
      `${disk.length} operations, ${states} crashes, ${seen.size} different disks, all opened`,
    )
    assert.ok(seen.size > 500)
  })
})

describe('T70 a disk that fails at any write or sync', () => {
  it('ends or refuses, and what was acknowledged is there afterwards', async (t) => {
    if (skipped(t)) return
    const control = join(folder, 'control')
    await writeFile(control, Buffer.alloc(16))
    const watched = join(folder, 'watched')
    const { stdout } = await traced('faulty-writer.ts', [folder, control, skey, watched], {
      DISK_TRACE_DIR: watched,
      DISK_TRACE_CONTROL: control,
    }).catch((error) => {
      // it cannot end otherwise
      assert.equal(error.signal, 'SIGKILL', error.stderr)
      return error
    })
    const lines: Faults[] = stdout
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line))
    assert.equal(lines.length, 7)
    for (const { fault, count, silent, problems } of lines) {
      t.diagnostic(`${fault}: ${count} times, ${silent} of them without any effect`)
      assert.deepEqual(problems, [], fault)
      assert.ok(count > 0, fault)
    }
  })
})

describe('T70 a program whose disk fails a sync', () => {
  it('ends at once, says why on its last line, and is started again without a loss', async (t) => {
    if (skipped(t)) return
    const control = join(folder, 'control-of-one')
    // the twentieth sync fails with EIO
    await writeFile(control, Buffer.from(Int32Array.of(3, 20, 5, 0).buffer))
    const directory = join(folder, 'ending')
    await mkdir(directory)
    const ended = await traced('ending-writer.ts', [directory, skey], {
      DISK_TRACE_DIR: directory,
      DISK_TRACE_CONTROL: control,
    }).catch((error) => error)
    assert.equal(ended.signal, 'SIGKILL', ended.stderr)
    assert.match(ended.stderr, /not_ready: the ledger could not make a commit durable.*\n$/)
    const acknowledged = ended.stdout.trim().split('\n').map(Number)
    assert.ok(acknowledged.length > 0)
    const store = await openStore({ directory, origin, key, clock: Date })
    for (const index of acknowledged) assert.equal((await store.leaf(index))?.data, index)
    await store.close()
  })
})

interface Faults {
  readonly fault: string
  readonly count: number
  /** How often the life went on to its end as if nothing had been. */
  readonly silent: number
  readonly problems: readonly string[]
}

async function wrongAfter(
  files: ReadonlyMap<string, Buffer>,
  acknowledged: readonly Acknowledged[],
): Promise<string | undefined> {
  const directory = await mkdtemp(join(folder, 'state-'))
  try {
    for (const [name, bytes] of files) {
      await writeFile(join(directory, name), bytes, { mode: 0o600 })
    }
    const fatal = (error: Error) => {
      throw error
    }
    return await wrongWith({ directory, key, fatal }, acknowledged)
  } catch (error) {
    return String(error)
  } finally {
    await rm(directory, { recursive: true })
  }
}

function skipped(t: TestContext): boolean {
  if ('path' in tracer) return false
  t.skip(tracer.missing)
  return true
}

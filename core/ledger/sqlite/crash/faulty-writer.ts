import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ledgerKeyFrom } from '../../log/key.ts'
import { type Acknowledged, live, wrongWith } from './workload.ts'

/**
 * Lives with a disk that fails once, at the first operation of a kind, then at the second, and so on
 * until no more of them happen. Prints for each kind how often it failed and what went wrong; runs
 * under `disk-trace.c`, and answers to the shared file that it reads.
 */
const [root = '', control = '', skey = '', watched = ''] = process.argv.slice(2)
const key = ledgerKeyFrom(skey)

/** Numbers as in `disk-trace.c` and errno.h. */
const faults = [
  { name: 'a write fails', kind: 2, errno: 5, isEnd: true },
  { name: 'a write finds the disk full', kind: 2, errno: 28, isEnd: false },
  { name: 'a write is cut short', kind: 16, errno: 28, isEnd: false },
  { name: 'a sync fails', kind: 3, errno: 5, isEnd: true },
  { name: 'a truncation fails', kind: 4, errno: 5, isEnd: true },
  { name: 'a file cannot be removed', kind: 5, errno: 5, isEnd: true },
  { name: 'the disk is read-only', kind: 17, errno: 30, isEnd: true },
] as const

function arm(kind: number, countdown: number, errno: number): void {
  writeFileSync(control, Buffer.from(Int32Array.of(kind, countdown, errno, 0).buffer))
}

function hits(): number {
  return readFileSync(control).readInt32LE(12)
}

interface Outcome {
  readonly opened: boolean
  readonly acknowledged: readonly Acknowledged[]
  readonly ended: boolean
  readonly refused: boolean
  /** What was acknowledged after the fault. */
  readonly after: number
}

/** One life in `watched`, with one fault. */
async function liveWith(fault: (typeof faults)[number], nth: number): Promise<Outcome> {
  const acknowledged: Acknowledged[] = []
  let opened = false
  let ended = false
  let late = false
  let after = 0
  const fatal = () => {
    ended = true
    // what was durable before is still answered in this turn of the event loop
    setImmediate(() => {
      late = true
    })
  }
  arm(fault.kind, nth, fault.errno)
  let refused = false
  try {
    const life = {
      ...{ directory: watched, key, fatal },
      opened: () => {
        opened = true
      },
    }
    await live(life, 'only', (what) => {
      acknowledged.push(what)
      if (late) after++
    })
  } catch {
    refused = true
  }
  return { acknowledged, opened, ended, refused, after }
}

/** The files as a dead process leaves them: the store in this one cannot be closed any more. */
async function left(nth: number): Promise<string> {
  const directory = join(root, `left-${nth}`)
  mkdirSync(directory, { recursive: true })
  for (const name of await readdir(watched)) {
    if (!/-shm$|^writer/.test(name)) copyFileSync(join(watched, name), join(directory, name))
  }
  return directory
}

for (const fault of faults) {
  const problems: string[] = []
  let count = 0
  let silent = 0
  for (let nth = 1; ; nth++) {
    rmSync(watched, { recursive: true, force: true })
    mkdirSync(watched)
    const { acknowledged, opened, ended, refused, after } = await liveWith(fault, nth)
    const hit = hits()
    arm(0, 0, 0)
    if (hit === 0) break
    count++
    if (!ended && !refused) silent++
    if (fault.isEnd && opened && refused && !ended) problems.push(`${nth}: it went on`)
    if (after > 0) problems.push(`${nth}: ${after} leaves were acknowledged after the end`)
    const directory = await left(nth)
    const fatal = () => problems.push(`${nth}: the next start ended`)
    const wrong = await wrongWith({ directory, key, fatal }, acknowledged).catch(String)
    if (wrong !== undefined) problems.push(`${nth}: ${wrong}`)
    rmSync(directory, { recursive: true })
  }
  process.stdout.write(`${JSON.stringify({ fault: fault.name, count, silent, problems })}\n`)
}
// the stores that ended were never closed, and must not be
process.kill(process.pid, 'SIGKILL')

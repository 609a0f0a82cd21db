import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { leavesName } from '@jackstay/ledger/bundle'
import { storedHistories } from '@jackstay/ledger/histories'
import { databaseName } from '@jackstay/ledger/sqlite-reader'
import { ZodError } from 'zod'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import { linesOf } from '../ledger/bundle.ts'
import { assertFolder, type OpenMediator } from '../ledger/source.ts'
import type { Mediator } from '../mediator.ts'
import { progressOf } from '../progress.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import {
  type Recorded,
  recordedHistory,
  recordedLeaf,
  recordedView,
  type Unjudgeable,
} from './recorded.ts'
import { Replay, replayJson, replayLines } from './replayed.ts'
import { soundPolicies } from './set.ts'

export interface ReplayRequest {
  readonly paths: readonly string[]
  /** A data directory or a bundle; else the mediator is asked. */
  readonly data?: string | undefined
  /** Whether another outcome is a failure. */
  readonly expectSame: boolean
  readonly json: boolean
}

type Found = Recorded | Unjudgeable

/** `policy replay`: what recorded decisions would have been under these rules. */
export async function replayPolicies(
  request: ReplayRequest,
  terminal: Terminal,
  openMediator: OpenMediator,
): Promise<void> {
  const { rules } = await soundPolicies(request.paths, terminal)
  const replay = new Replay(rules)
  const progress = progressOf(terminal, 'intents judged again')
  const judge = async (found: AsyncIterable<Found> | Iterable<Found>) => {
    for await (const one of found) {
      terminal.signal.throwIfAborted()
      replay.add(one)
      progress(replay.seen)
    }
  }
  if (request.data !== undefined) await judge(stored(request.data))
  else await openMediator(async (mediator) => judge(served(mediator)))
  if (request.json) printData(terminal, replayJson(replay))
  else print(terminal, replayLines(replay))
  if (request.expectSame && replay.changes.length > 0) {
    const message = `${replay.changed} decisions would change; look at each, or leave out --expect-same`
    throw new CommandFailed(exitCodes.refused, 'decisions_change', message)
  }
  if (request.expectSame && replay.seen > 0 && replay.judged === 0) {
    const message = `no decision could be judged again, so nothing shows that all stay the same; name a data directory or an export with values`
    throw new CommandFailed(exitCodes.refused, 'nothing_judged', message)
  }
}

/** @throws CommandFailed where the folder holds neither histories nor leaves */
function stored(data: string): AsyncIterable<Found> | Iterable<Found> {
  assertFolder(data)
  if (existsSync(join(data, databaseName))) return histories(data)
  const leaves = join(data, leavesName)
  if (existsSync(leaves)) return bundled(leaves)
  throw usageError(`\`${data}\` is neither a data directory nor a bundle; correct --data`)
}

function* histories(data: string): Generator<Found> {
  for (const history of storedHistories(data)) {
    yield readable(history.id, () => recordedHistory(history))
  }
}

/** One line: what a schema says of a value has many. */
function whyOf(error: unknown): string {
  if (error instanceof ZodError) {
    const { path, message } = error.issues[0] ?? { path: [], message: 'damaged' }
    return `\`${path.map(String).join('.')}\`: ${message}`
  }
  return error instanceof Error ? (error.message.split('\n')[0] ?? 'damaged') : 'damaged'
}

/** A damaged history is counted and named, and does not hide the others. */
function readable(id: string, read: () => Found): Found {
  try {
    return read()
  } catch (error) {
    return { id, missing: `the history cannot be read: ${whyOf(error).slice(0, 200)}` }
  }
}

async function* bundled(file: string): AsyncGenerator<Found> {
  let number = 0
  for await (const line of linesOf(file)) {
    number += 1
    const found = recordedLeaf(parsed(line, `${file}:${number}`))
    if (found !== undefined) yield found
  }
}

function parsed(line: string, place: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw usageError(`\`${place}\` is no JSON; check the bundle with \`jackstay ledger verify\``)
  }
}

const page = 200

async function* served(mediator: Mediator): AsyncGenerator<Found> {
  let before: string | undefined
  do {
    const { intents, next } = await mediator.list({ limit: page, before })
    for (const { id } of intents) {
      const view = await mediator.intent(id)
      yield readable(id, () => recordedView(view))
    }
    before = next
  } while (before !== undefined)
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { IntentSummary } from '@jackstay/contract/api'
import { JackstayError } from '@jackstay/contract/errors'
import { type ChangeList, changeList } from '@jackstay/contract/people-api'
import { asTyped } from '../called-as.ts'
import { phaseStyle } from '../intents.ts'
import type { Mediator } from '../mediator.ts'
import { type Line, styled } from '../screen.ts'
import { print, type Terminal } from '../terminal.ts'

export interface WatchRequest {
  /** Only targets here. */
  readonly namespace?: string | undefined
  /** Stop after so many; without it, when the user does. */
  readonly count?: number | undefined
  /** One JSON text a line, or lines for people. */
  readonly json: boolean
}

const waitSeconds = 30
const retryMs = 2000

/**
 * Shows every change of every intent as it happens, until the user stops it. Tokens last ten minutes,
 * so the mediator is opened anew for every question.
 */
export async function watch(
  { namespace, count = Number.POSITIVE_INFINITY, json }: WatchRequest,
  open: <T>(use: (mediator: Mediator) => Promise<T>) => Promise<T>,
  terminal: Terminal,
): Promise<void> {
  const { signal } = terminal
  let left = count
  let cursor: string | undefined
  while (left > 0) {
    const found = await next(cursor, open, terminal)
    if (signal.aborted) return
    if (found === undefined) continue
    if (found.missed) {
      const words = '… some changes were missed; `jackstay intents list` shows all\n'
      terminal.err(asTyped(words, terminal.env))
    }
    cursor = found.next
    for (const change of found.changes) {
      if (left <= 0 || (namespace !== undefined && !isIn(change, namespace))) continue
      left--
      if (json) terminal.out(`${JSON.stringify(change)}\n`)
      else print(terminal, [changeLine(change)])
    }
  }
}

/** Undefined where the mediator was away for once after it had answered before. */
async function next(
  after: string | undefined,
  open: <T>(use: (mediator: Mediator) => Promise<T>) => Promise<T>,
  terminal: Terminal,
): Promise<ChangeList | undefined> {
  const search = after === undefined ? '' : `?after=${after}&wait=${waitSeconds}`
  try {
    return await open((mediator) =>
      mediator.read(`/v1/changes${search}`, changeList, waitSeconds * 1000),
    )
  } catch (error) {
    if (terminal.signal.aborted) return undefined
    const again = error instanceof JackstayError && error.code === 'upstream_unavailable'
    if (!again || after === undefined) throw error
    terminal.err('… the mediator is away; trying again\n')
    await sleep(retryMs, undefined, { signal: terminal.signal }).catch(() => undefined)
    return undefined
  }
}

function isIn({ target }: IntentSummary, namespace: string): boolean {
  return target.split(' ')[1]?.startsWith(`${namespace}/`) === true
}

function changeLine({ id, phase, action, target, agent, reason, updatedAt }: IntentSummary): Line {
  return [
    styled('dim', `${updatedAt}  `),
    `${id}  `,
    styled(phaseStyle(phase), phase),
    `${reason === undefined ? '' : ` (${reason})`}  ${action} on ${target}`,
    styled('dim', `  by ${agent}`),
  ]
}

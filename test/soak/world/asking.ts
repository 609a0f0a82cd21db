import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, TestAgent } from '@jackstay/e2e/test-agent'
import { v7 as uuid7 } from 'uuid'
import { z } from 'zod'
import type { Wish } from '../schedule/steps.ts'
import type { BookKeeper } from './book-keeper.ts'
import type { Party } from './ground.ts'
import type { Tally } from './tally.ts'
import { submissionOf, targetOf } from './wishes.ts'

const tries = 4
const view = z.object({ summary: z.object({ id: z.string() }) })

/** Id of the intent that an answer tells of. */
export function intentIn({ status, body }: Answer): string | undefined {
  return status < 300 ? view.safeParse(body).data?.summary.id : undefined
}

/** One answer, or undefined where none came: the mediator is dead, or died over it. */
export async function sent(
  agent: TestAgent,
  body: string,
  book: BookKeeper,
  token?: string,
): Promise<Answer | undefined> {
  try {
    const answer = await agent.submit(body, 0, token)
    const id = intentIn(answer)
    if (id !== undefined) book.taken.add(id)
    return answer
  } catch {
    // no answer is an answer here: what became of it is for the ledger to say
    return undefined
  }
}

/** Asks as a good agent does: the same bytes again until somebody answers. */
export async function ask(party: Party, wish: Wish, book: BookKeeper, tally: Tally): Promise<void> {
  const jti = uuid7()
  if (party.actsNever) book.forbidden.set(jti, `a class that is ${party.name}`)
  const body = await submissionOf(party, wish, { jti })
  for (let left = tries; left > 0; left--) {
    const answer = await sent(party.agent, body, book)
    if (answer !== undefined && answer.status < 500 && answer.status !== 429) {
      tally.add(answer.status < 300 ? 'taken' : 'refused at the door')
      return
    }
    await sleep(700)
  }
  tally.add('unanswered')
}

const toolResult = z.object({
  result: z.object({ structuredContent: z.looseObject({ intent: z.string().optional() }) }),
})

/** Asks as a model does: by a tool of its sidecar. */
export async function askByTool(
  party: Party,
  wish: Wish,
  book: BookKeeper,
  tally: Tally,
): Promise<void> {
  const { beside } = party
  if (beside === undefined) return await ask(party, wish, book, tally)
  const call = {
    ...{ target: targetOf(party, wish), params: wish.params, wait: 0 },
    reasoning: { summary: 'the soak wants it so' },
  }
  const params = { name: wish.action.replace('.', '_'), arguments: call }
  try {
    const answer = await fetch(`${beside.url()}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      signal: AbortSignal.timeout(30_000),
    })
    const data = /^data: (.*)$/m.exec(await answer.text())?.[1] ?? ''
    tally.add(idInTool(data, book) ? 'taken by MCP' : 'refused by MCP')
  } catch {
    tally.add('unanswered by MCP')
  }
}

function idInTool(data: string, book: BookKeeper): boolean {
  if (data === '') return false
  const { intent, phase, error } = toolResult.parse(JSON.parse(data)).result.structuredContent
  // without a phase nobody took it yet: the sidecar only says which one to ask for
  if (intent === undefined || phase === undefined || error !== undefined) return false
  book.taken.add(intent)
  return true
}

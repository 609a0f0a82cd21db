import { assertNever } from '@jackstay/contract/errors'
import { v7 as uuid7 } from 'uuid'
import type { Slip, Wish } from '../schedule/steps.ts'
import { intentIn, sent } from './asking.ts'
import type { BookKeeper } from './book-keeper.ts'
import type { Party } from './ground.ts'
import { submissionOf, targetOf } from './wishes.ts'

/** What an agent gets wrong. Whatever must have no effect is put down as forbidden, or seen refused. */
export async function slipUp(
  party: Party,
  slip: Slip,
  wish: Wish,
  book: BookKeeper,
): Promise<void> {
  const jti = uuid7()
  const forbidden = async (bend: Readonly<Record<string, unknown>>) => {
    book.forbidden.set(jti, slip)
    await sent(party.agent, await submissionOf(party, wish, { jti, ...bend }), book)
  }
  const refused = async (body: string) => {
    const answer = await sent(party.agent, body, book)
    if (answer !== undefined && answer.status < 300) book.letIn.push(`${slip}: ${answer.status}`)
  }
  const bent = async (bend: Readonly<Record<string, unknown>>) =>
    await refused(await submissionOf(party, wish, bend))
  const now = Math.floor(Date.now() / 1000)
  switch (slip) {
    case 'no JSON':
      return await refused('{"jws":')
    case 'unknown claim':
      return await bent({ urgent: true })
    case 'stale':
      return await bent({ iat: now - 300, exp: now - 240 })
    case 'not yet valid':
      return await bent({ iat: now + 300, exp: now + 360 })
    case 'another cluster':
      return await bent({ aud: uuid7() })
    case 'no such target':
      return await forbidden({ target: { ...targetOf(party, wish), name: 'missing' } })
    case 'wrong kind':
      return await forbidden({ target: { ...targetOf(party, wish), kind: 'ConfigMap' } })
    case 'bad params':
      return await forbidden({ params: { replicas: -1, container: 7, force: true } })
    case 'unknown action':
      return await forbidden({ action: 'workload.explode' })
    case 'sent again':
    case 'two in one':
      return await twice(party, wish, slip === 'two in one', book)
    case 'same id, other bytes':
      return await sameId(party, wish, jti, book)
    case 'two of the same wish': {
      const two = [await submissionOf(party, wish), await submissionOf(party, wish)]
      await Promise.all(two.map((body) => sent(party.agent, body, book)))
      return
    }
    default:
      return assertNever(slip)
  }
}

/** The same bytes twice are one intent (T01). */
async function twice(party: Party, wish: Wish, atOnce: boolean, book: BookKeeper): Promise<void> {
  const body = await submissionOf(party, wish)
  const one = () => sent(party.agent, body, book)
  const answers = atOnce ? await Promise.all([one(), one()]) : [await one(), await one()]
  const ids = answers.flatMap((answer) => (answer && intentIn(answer)) ?? [])
  if (new Set(ids).size > 1) book.letIn.push(`the same bytes became ${ids.join(' and ')}`)
}

async function sameId(party: Party, wish: Wish, jti: string, book: BookKeeper): Promise<void> {
  const first = await sent(party.agent, await submissionOf(party, wish, { jti }), book)
  const other = { jti, params: { ...wish.params, replicas: 2 } }
  const second = await sent(party.agent, await submissionOf(party, wish, other), book)
  if (first !== undefined && second !== undefined && first.status < 300 && second.status < 300) {
    book.letIn.push(`other bytes were taken under the id \`${jti}\``)
  }
}

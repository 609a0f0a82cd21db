import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { IntentSummary, IntentView } from '@jackstay/contract/api'
import { assertWhole, intentCalled } from './intent-id.ts'
import type { Mediator } from './mediator.ts'
import { parseSubject } from './subject.ts'

const [first, second, third] = [
  '019a0000-0000-7000-8000-000000000001',
  '019a0000-0000-7000-8000-0000000000ff',
  '019b1111-0000-7000-8000-000000000001',
]

function summary(id: string): IntentSummary {
  const at = '2026-11-01T00:00:00Z'
  const what = { agent: 'a/b', action: 'workload.scale', target: 'Deployment shop/web' }
  return { id, ...what, phase: 'verified', receivedAt: at, updatedAt: at }
}

/** One intent a page, so that all pages have to be looked at. */
function mediator(...ids: string[]): Pick<Mediator, 'list' | 'intent'> {
  return {
    list: async ({ before = '0' }) => {
      const id = ids[Number(before)]
      const next = Number(before) + 1
      return {
        intents: id === undefined ? [] : [summary(id)],
        ...(next < ids.length && { next: String(next) }),
      }
    },
    intent: async (id): Promise<IntentView> => ({ summary: summary(id), events: [] }),
  }
}

const called = async (text: string, ...ids: string[]) =>
  (await intentCalled(text, mediator(...ids))).summary.id

describe('the beginning of an intent’s id', () => {
  it('stands for the id where only one begins so', async () => {
    assert.equal(await called('019b1111', first, second, third), third)
    assert.equal(await called('019B1111-0000', first, second, third), third)
    assert.equal(await called('019a0000-0000-7000-8000-0000000000f', first, second), second)
    assert.equal(await called(first), first, 'a whole id is asked for as it is')
  })

  it('names all where several begin so, also on later pages', async () => {
    await assert.rejects(called('019a0000', first, third, second), {
      code: 'usage',
      message: `2 ids begin with \`019a0000\`: ${first}, ${second}; write more of the one you mean`,
    })
  })

  it('is unknown, or too short, and that is said with what to do', async () => {
    await assert.rejects(called('019c0000', first), { code: 'not_found', message: /intents list/ })
    for (const text of ['019a000', 'web', '', '-19a0000', '%19a0000']) {
      await assert.rejects(called(text, first), { code: 'usage', message: /first 8 characters/ })
    }
  })

  it('is nothing to approve, reject or cancel, for another may begin so (T54)', () => {
    assert.throws(() => parseSubject('019a0000'), /not a whole intent id: .*named in full/)
    assert.throws(() => parseSubject('intent/019a0000-0000'), /not a whole intent id/)
    assert.throws(() => assertWhole('019A0000'), { code: 'usage', message: /cancelled is named/ })
    assert.doesNotThrow(() => assertWhole(first))
  })
})

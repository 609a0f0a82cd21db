import { oncall } from '@jackstay/e2e/line-world'
import { collectionPath } from '@jackstay/kube/resources'
import { z } from 'zod'
import type { Random } from '../schedule/random.ts'
import type { BookKeeper } from './book-keeper.ts'
import type { Ground } from './ground.ts'
import type { Tally } from './tally.ts'

const group = '/apis/jackstay.dev/v1alpha1'
const approvals = { apiVersion: 'jackstay.dev/v1alpha1', resource: 'approvals' }

const intents = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string(), namespace: z.string() }),
      status: z.object({ phase: z.string().optional(), digest: z.string().optional() }).optional(),
    }),
  ),
})

/** A person who looks at what waits, now and then, and decides by chance: yes, no, wrongly, or never. */
export class Approver {
  readonly #ground: Ground
  readonly #book: BookKeeper
  readonly #tally: Tally
  readonly #chance: Random
  readonly #seen = new Set<string>()

  constructor(ground: Ground, book: BookKeeper, tally: Tally, chance: Random) {
    this.#ground = ground
    this.#book = book
    this.#tally = tally
    this.#chance = chance
  }

  /** Once over everything that waits. */
  async look(): Promise<void> {
    const { approver, parties, w } = this.#ground
    const path = `${group}/namespaces/${parties.asking.targets}/intents`
    const { status, body } = await w.admin.request({ method: 'GET', path })
    if (status >= 300) return
    for (const { metadata, status: now } of intents.parse(body).items) {
      const { name, uid } = metadata
      if (now?.phase !== 'approve' || now.digest === undefined || this.#seen.has(name)) continue
      this.#seen.add(name)
      const drawn = this.#chance.next()
      if (drawn > 0.9) {
        this.#tally.add('left to expire')
        continue
      }
      const verdict = drawn < 0.65 ? 'approve' : 'reject'
      const wrong = drawn >= 0.8
      const digest = wrong ? `sha256:${'0'.repeat(64)}` : now.digest
      const given = { intent: name, digest, verdict: wrong ? 'approve' : verdict } as const
      // before it is sent: the mediator may be faster than the answer
      this.#book.verdicts.push(given)
      this.#tally.add(
        wrong ? 'approved for another digest' : verdict === 'approve' ? 'approved' : 'rejected',
      )
      await this.#book.deed(approver, {
        ...{ method: 'POST', path: collectionPath(approvals, metadata.namespace) },
        body: this.#approval({ ...given, uid }),
      })
    }
  }

  #approval({
    intent,
    uid,
    digest,
    verdict,
  }: {
    intent: string
    uid: string
    digest: string
    verdict: string
  }) {
    return {
      ...{
        apiVersion: 'jackstay.dev/v1alpha1',
        kind: 'Approval',
        metadata: { name: `${intent}-soak` },
      },
      spec: {
        ...{ subject: { kind: 'Intent', name: intent, uid }, digest, verdict },
        ...{ approver: 'oncall-1', groups: [oncall], reason: 'the soak says so' },
      },
    }
  }
}

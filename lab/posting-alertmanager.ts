import { randomBytes } from 'node:crypto'
import type { Alert } from './incidents/incident.ts'

const timeoutMs = 10_000

/** An alert that fires until it is resolved. */
export interface Firing {
  resolve(): Promise<void>
}

/** Posts alerts as an Alertmanager does. */
export class Alertmanager {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  /** Each time another alert, also with the labels of one before. */
  async fire({ labels, annotations, hoursAgo = 0 }: Alert): Promise<Firing> {
    const fingerprint = randomBytes(8).toString('hex')
    const startsAt = new Date(Date.now() - hoursAgo * 3_600_000).toISOString()
    const post = (status: 'firing' | 'resolved', endsAt: string) =>
      this.#post(status, { status, labels, annotations, startsAt, endsAt, fingerprint })
    await post('firing', '0001-01-01T00:00:00Z')
    return { resolve: () => post('resolved', new Date().toISOString()) }
  }

  async #post(
    status: string,
    alert: Readonly<Record<string, unknown>> & { readonly fingerprint: string },
  ): Promise<void> {
    const { fingerprint: groupKey } = alert
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ version: '4', groupKey, status, receiver: 'jackstay', alerts: [alert] },
      }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const answer = await response.text()
    if (!response.ok) throw new Error(`the alert was not taken: ${response.status} ${answer}`)
  }
}

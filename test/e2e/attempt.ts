import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord } from '@jackstay/kube/resources'

/** What the API server answered, with every reason it gave. */
export interface Answer {
  readonly status: number
  readonly message: string
  readonly body: unknown
}

export interface AttemptOptions {
  readonly dryRun?: boolean
  readonly contentType?: string
  readonly query?: Readonly<Record<string, string>>
}

/** A plain REST request, as an attacker sends it: nothing of our own client stands in its way. */
export async function attempt(
  client: KubeClient,
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET',
  path: string,
  body?: unknown,
  { dryRun = false, contentType, query = {} }: AttemptOptions = {},
): Promise<Answer> {
  const type = contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : undefined)
  const answer = await client.request({
    method,
    path,
    query: { ...query, ...(dryRun && { dryRun: 'All' }) },
    ...(body !== undefined && { body }),
    ...(type !== undefined && { contentType: type }),
  })
  return { status: answer.status, message: reasons(answer.body), body: answer.body }
}

/** Only the first refusal is in a Status' message; the others are among its causes. */
function reasons(body: unknown): string {
  if (!isRecord(body) || body.kind !== 'Status') return ''
  const causes =
    isRecord(body.details) && Array.isArray(body.details.causes) ? body.details.causes : []
  const texts = causes.map((cause: unknown) => (isRecord(cause) ? String(cause.message) : ''))
  return [String(body.message ?? ''), ...texts].join('\n')
}

/**
 * The refusal comes from this policy, not from a right that is missing by chance. Where several refuse,
 * the API server names one of them, any: then `policy` is what their names begin with and ends in `-`.
 */
export function refusedBy(policy: string, { status, message }: Answer): void {
  assert.ok(status >= 400 && status < 500, `answered ${status}: ${message}`)
  assert.ok(
    message.includes(policy.endsWith('-') ? `'${policy}` : `'${policy}'`),
    `refused by something else: ${message}`,
  )
}

export function refused(answer: Answer, status: number, by: RegExp): void {
  assert.equal(answer.status, status, answer.message)
  assert.match(answer.message, by)
}

export function passed({ status, message }: Answer): void {
  assert.ok(status < 300, `answered ${status}: ${message}`)
}

/** Polls, half a minute at most unless told otherwise. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  patienceMs = 30_000,
): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${patienceMs / 1000} s: ${what}`)
    await sleep(20)
  }
}

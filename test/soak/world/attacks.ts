import { connect as dial } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertNever } from '@jackstay/contract/errors'
import { canonical } from '@jackstay/contract/json'
import { newKey, TestAgent } from '@jackstay/e2e/test-agent'
import { connect } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { v7 as uuid7 } from 'uuid'
import { z } from 'zod'
import type { Attack, Wish } from '../schedule/steps.ts'
import { sent } from './asking.ts'
import type { BookKeeper } from './book-keeper.ts'
import { allParties, type Ground, type Party } from './ground.ts'
import { pathOf, submissionOf, targetOf } from './wishes.ts'

const floodSize = 60
const slowBodyMs = 4_000

/** Somebody who wants to get past the line, with what an agent has in its hands and more. */
export class Attacker {
  readonly #ground: Ground
  readonly #book: BookKeeper

  constructor(ground: Ground, book: BookKeeper) {
    this.#ground = ground
    this.#book = book
  }

  async attack(party: Party, attack: Attack, wish: Wish): Promise<void> {
    const { agent, other } = party
    const own = () => submissionOf(party, wish)
    switch (attack) {
      case 'forged signature':
        return await this.#refused(
          attack,
          party,
          await submissionOf(party, wish, {}, await forger(agent, true)),
        )
      case 'token without key':
        return await this.#refused(
          attack,
          party,
          await submissionOf(party, wish, {}, await forger(agent, false)),
        )
      case 'no algorithm':
        return await this.#refused(attack, party, unsigned(await own(), agent.key.kid))
      case 'stolen token':
        return await this.#refused(attack, party, await own(), await other.token('intent'))
      case 'enrolment as intent':
        return await this.#refused(attack, party, await agent.enrolment())
      case 'huge body':
        return await this.#refused(attack, party, `{"jws":"${'a'.repeat(4 << 20)}"}`)
      case 'deep body':
        return await this.#refused(
          attack,
          party,
          `{"jws":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
        )
      case 'duplicate key':
        return await this.#refused(
          attack,
          party,
          (await own()).replace('{"jws"', '{"jws":"x","jws"'),
        )
      case 'prototype': {
        const params: object = JSON.parse('{"__proto__":{"replicas":0},"replicas":0}')
        return await this.#refused(attack, party, await submissionOf(party, wish, { params }))
      }
      case 'other tenant':
        return await this.#forbidden(attack, party, wish, targetOf(this.#notOf(party), wish))
      case 'jackstay itself': {
        const target = { ...targetOf(party, wish), namespace: 'jackstay-system' }
        return await this.#forbidden(attack, party, wish, target)
      }
      case 'flood':
        return await this.#flood(party, wish)
      case 'slow body':
        return await slowBody(agent)
      case 'write with the token':
      case 'approve with the token':
        return await this.#withToken(party, attack, wish)
      case 'read of others':
        return await this.#readOthers(party)
      case 'forged alert':
        return await this.#post(
          attack,
          agent,
          `${agent.urls.mediator}/v1/alerts/alertmanager`,
          '{}',
          'guessed',
        )
      case 'enrol with the wrong token': {
        const token = await agent.token('intent')
        const body = await agent.enrolment({}, token)
        return await this.#post(attack, agent, `${agent.urls.registrar}/v1/enrolments`, body, token)
      }
      default:
        return assertNever(attack)
    }
  }

  #notOf(party: Party): Party {
    return allParties(this.#ground).find((one) => one.name !== party.name) ?? party
  }

  async #refused(attack: Attack, { agent }: Party, body: string, token?: string): Promise<void> {
    const answer = await sent(agent, body, this.#book, token)
    if (answer !== undefined && answer.status < 300) this.#book.letIn.push(attack)
  }

  async #post(attack: Attack, agent: TestAgent, url: string, body: string, token: string) {
    const answer = await agent.post(url, body, token).catch(() => undefined)
    if (answer !== undefined && answer.status < 300) this.#book.letIn.push(attack)
  }

  async #forbidden(
    attack: Attack,
    party: Party,
    wish: Wish,
    target: object,
    agent = party.agent,
  ): Promise<void> {
    const jti = uuid7()
    this.#book.forbidden.set(jti, attack)
    await sent(agent, await submissionOf(party, wish, { jti, target }, agent), this.#book)
  }

  async #flood(party: Party, wish: Wish): Promise<void> {
    const target = { ...targetOf(party, wish), name: 'missing' }
    // by another agent of the class: its own place in the queue is all that it may use up
    const one = () => this.#forbidden('flood', party, wish, target, party.other)
    await Promise.all(Array.from({ length: floodSize }, one))
  }

  /** The agent's token is for the mediator: the API server takes it for nothing (invariant 1). */
  async #withToken(party: Party, attack: Attack, wish: Wish): Promise<void> {
    const { cluster } = this.#ground.w
    const { pod } = party.agent
    const path = join(this.#ground.directory, `${pod.name}.${uuid7()}.kubeconfig`)
    const kubeconfig = await cluster.writeKubeconfig({
      path,
      tokenFile: join(pod.tokens, 'intent'),
    })
    const client = connect(loadConfig({ kubeconfig }), { userAgent: 'attacker', timeoutMs: 30_000 })
    const path_ = pathOf(targetOf(party, wish))
    const approvals = `/apis/jackstay.dev/v1alpha1/namespaces/${party.targets}/approvals`
    const { status } = await client
      .request(
        attack === 'write with the token'
          ? {
              ...{ method: 'PATCH', path: path_, body: { spec: { replicas: 9 } } },
              contentType: 'application/merge-patch+json',
            }
          : { method: 'POST', path: approvals, body: {} },
      )
      .finally(() => client.close())
    if (status < 300) this.#book.letIn.push(attack)
  }

  async #readOthers(party: Party): Promise<void> {
    const id = [...this.#book.taken].at(-1)
    if (id === undefined) return
    const { agent } = party
    const headers = { authorization: `Bearer ${await agent.token('intent')}` }
    const url = `${agent.urls.mediator}/v1/intents/${id}`
    const read = async () => {
      const answer = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) })
      return owned.safeParse(await answer.json()).data?.summary.agent
    }
    const owner = await read().catch(() => undefined)
    if (owner === undefined || owner.startsWith(`${party.namespace}/`)) return
    this.#book.letIn.push(`read of others: \`${id}\` of \`${owner}\``)
  }
}

const owned = z.object({ summary: z.object({ agent: z.string() }) })

async function forger(agent: TestAgent, withKid: boolean): Promise<TestAgent> {
  const key = await newKey()
  const { pod, clusterUid, urls } = agent
  return new TestAgent(pod, withKid ? { ...key, kid: agent.key.kid } : key, clusterUid, urls)
}

function unsigned(body: string, kid: string): string {
  const { jws, reasoning } = JSON.parse(body) as { jws: string; reasoning: unknown }
  const header = Buffer.from(canonical({ alg: 'none', kid, typ: 'jackstay-intent+jws' }))
  return canonical({ jws: `${header.toString('base64url')}.${jws.split('.')[1]}.`, reasoning })
}

/** One byte after the other, for some seconds: others must not wait for it (T13). */
async function slowBody({ urls, ...agent }: TestAgent): Promise<void> {
  const { hostname, port } = new URL(urls.mediator)
  const socket = dial(Number(port), hostname)
  socket.on('error', () => socket.destroy())
  const head = ['POST /v1/intents HTTP/1.1', `host: ${hostname}`, 'content-type: application/json']
  const kid = `authorization: Bearer ${agent.key.kid}`
  socket.write(`${[...head, kid, 'content-length: 100'].join('\r\n')}\r\n\r\n`)
  for (const end = performance.now() + slowBodyMs; performance.now() < end && !socket.destroyed; ) {
    socket.write('{')
    await sleep(200)
  }
  socket.destroy()
}

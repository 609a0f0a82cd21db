import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PolicyRule } from '@jackstay/contract/kinds/action-policy'
import type { ClassLimits } from '@jackstay/contract/kinds/agent-class'
import type { LineWorld, Tenant } from '@jackstay/e2e/line-world'
import { newKey, TestAgent } from '@jackstay/e2e/test-agent'
import { createAgentPod } from '@jackstay/lab/agent-pod'
import { inParallel } from './cpu.ts'

/** One agent, and the token its Pod holds. */
export interface Member {
  readonly agent: TestAgent
  readonly token: string
}

/** Many agents of one class, each a ServiceAccount of its own with an enrolled Pod. */
export interface Crowd {
  readonly tenant: Tenant
  readonly members: readonly Member[]
}

/** Uses a crowd of `size` under these rules; what it left on disk is gone afterwards. */
export async function withCrowd<T>(
  world: LineWorld,
  size: number,
  rules: readonly PolicyRule[],
  limits: Partial<ClassLimits>,
  use: (crowd: Crowd) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-crowd-'))
  try {
    const tenant = await world.tenant({ rules, limits })
    const members: Member[] = []
    const names = Array.from({ length: size }, (_, n) => `agent-${n}`)
    await inParallel(names, 8, async (name) => {
      members.push(await enrolled(world, tenant, name, directory))
    })
    await Promise.all(members.map((member) => known(world, member)))
    return await use({ tenant, members })
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

async function enrolled(
  world: LineWorld,
  { namespace, agent: { clusterUid } }: Tenant,
  name: string,
  directory: string,
): Promise<Member> {
  const { admin, plane, signal } = world
  const accounts = { apiVersion: 'v1', resource: 'serviceaccounts' }
  const made = await admin.create(accounts, namespace, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace },
    automountServiceAccountToken: false,
  })
  if (made.kind !== 'applied') throw new Error(`no ServiceAccount: ${JSON.stringify(made)}`)
  const onError = (error: unknown) => {
    throw error
  }
  const host = { client: admin, directory, signal, onError }
  const pod = await createAgentPod({ ...host, namespace, serviceAccount: name, name })
  const urls = { mediator: plane.mediatorUrl, registrar: plane.registrarUrl }
  const agent = new TestAgent(pod, await newKey(), clusterUid, urls)
  // the registrar takes a few at a time
  await world.until(async () => {
    const { status, body } = await agent.enrol()
    if (status >= 300 && status !== 429) throw new Error(`not enrolled: ${JSON.stringify(body)}`)
    return status < 300
  }, 'the registrar takes the key')
  return { agent, token: await agent.token('intent') }
}

/** The mediator's caches follow by milliseconds. */
async function known(world: LineWorld, { agent, token }: Member): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  await world.until(async () => {
    const answer = await fetch(`${agent.urls.mediator}/v1/cluster`, { headers })
    await answer.body?.cancel()
    return answer.ok
  }, 'the mediator knows the Pod')
}

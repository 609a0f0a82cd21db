import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { attach, type Cluster, up } from '@jackstay/cluster/cluster'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { asObject, isRecord, type KubeObject } from '@jackstay/kube/resources'
import type { Lister } from '@jackstay/lab/kubernetes/access/lister'
import { listerOf } from '@jackstay/lab/kubernetes/access/lister-builder'
import { attempt, passed } from './attempt.ts'

/** A real API server, with or without anything of ours, for asking what the lab's has to answer. */
export interface RealServer {
  readonly cluster: Cluster
  readonly admin: KubeClient
  clientOf(kubeconfig: string): KubeClient
  /** Somebody else, by client certificate. */
  person(user: string, groups?: readonly string[]): Promise<KubeClient>
}

const options = { userAgent: 'jackstay-e2e', timeoutMs: 30_000 }

/**
 * The cluster of the run, or one that ends with this process: without a node, for suites that say
 * themselves what becomes of Pods.
 */
export async function realServer({ own = false } = {}): Promise<RealServer> {
  const name = own ? undefined : process.env.JACKSTAY_E2E_CLUSTER
  const cluster = name === undefined ? await up() : await attach(name)
  const clientOf = (kubeconfig: string) => connect(loadConfig({ kubeconfig }), options)
  return {
    cluster,
    admin: clientOf(cluster.kubeconfig),
    clientOf,
    person: async (user, groups = []) =>
      clientOf(await cluster.issueKubeconfig({ name: user, user, groups })),
  }
}

/**
 * Both answer the same, once the real server has seen what was just written: until then its caches may say
 * otherwise, for ten seconds at most. `comparable` leaves out what may differ.
 */
export async function agree(
  theirs: () => Promise<unknown>,
  ours: () => Promise<unknown>,
  comparable: (answer: unknown) => unknown = (answer) => answer,
): Promise<void> {
  const end = performance.now() + 30_000
  while (performance.now() < end) {
    const [their, our] = [comparable(await theirs()), comparable(await ours())]
    if (isDeepStrictEqual(their, our)) return
    await setTimeout(50)
  }
  assert.deepEqual(comparable(await ours()), comparable(await theirs()))
}

/** What the lab's functions look at: the objects of the real server as they are now. */
export async function listerOfReal(admin: KubeClient, paths: readonly string[]): Promise<Lister> {
  const lists = await Promise.all(paths.map((path) => attempt(admin, 'GET', path)))
  return listerOf(...lists.flatMap(itemsOf))
}

function itemsOf(answer: Awaited<ReturnType<typeof attempt>>): KubeObject[] {
  passed(answer)
  const { body } = answer
  if (!isRecord(body) || !Array.isArray(body.items)) throw new Error('the answer is no list')
  // items of a list come without them
  const kind = String(body.kind).replace(/List$/, '')
  return body.items.map((item) => ({
    ...asObject(item),
    kind,
    apiVersion: String(body.apiVersion),
  }))
}

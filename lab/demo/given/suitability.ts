import { JackstayError } from '@jackstay/contract/errors'
import type { KubeClient } from '@jackstay/kube/client'
import { z } from 'zod'
import { NotHere } from '../not-here.ts'

/** Admission policies, native sidecars and CEL as Jackstay needs them. */
const oldest = { major: 1, minor: 33 }

const version = z.object({ major: z.string(), minor: z.string(), gitVersion: z.string() })
const node = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ unschedulable: z.boolean().default(false) }).prefault({}),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      images: z.array(z.object({ names: z.array(z.string()).default([]) })).default([]),
    })
    .prefault({}),
})

/**
 * Whether the demo can play here.
 * @returns the image its workload will have
 * @throws NotHere naming what is in the way
 */
export async function checkCluster(client: KubeClient, image: string | undefined): Promise<string> {
  try {
    await checkVersion(client)
    await checkRights(client)
    return await checkNodes(client, image)
  } catch (error) {
    if (error instanceof JackstayError) throw new NotHere(error.message)
    throw error
  }
}

async function checkVersion(client: KubeClient): Promise<void> {
  const { body } = await client.request({ method: 'GET', path: '/version' })
  const { major, minor, gitVersion } = version.parse(body)
  // some distributions write `33+`
  const newer = Number.parseInt(major, 10) > oldest.major
  if (newer || Number.parseInt(minor, 10) >= oldest.minor) return
  throw new NotHere(
    `Kubernetes ${gitVersion} is too old; Jackstay needs ${oldest.major}.${oldest.minor} or later`,
  )
}

/** Roles and bindings can only be made by whoever holds all rights in them. */
async function checkRights(client: KubeClient): Promise<void> {
  const answer = await client.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { group: '*', resource: '*', verb: '*' } },
    },
  })
  const review = z.object({ status: z.object({ allowed: z.boolean() }) }).safeParse(answer.body)
  if (review.success && review.data.status.allowed) return
  throw new NotHere(
    'this needs an administrator of the cluster (`cluster-admin`); name another context',
  )
}

async function checkNodes(client: KubeClient, image: string | undefined): Promise<string> {
  const { items } = await client.list({ apiVersion: 'v1', resource: 'nodes' }, { limit: 500 })
  const ready = items
    .map((item) => node.parse(item))
    .filter(({ spec, status }) => {
      const isReady = status.conditions.some((c) => c.type === 'Ready' && c.status === 'True')
      return isReady && !spec.unschedulable
    })
  if (ready.length === 0) throw new NotHere('the cluster has no node that is ready for Pods')
  const found = image ?? pauseOf(ready.map(({ status }) => status.images.flatMap((i) => i.names)))
  if (found !== undefined) return found
  throw new NotHere(
    'the nodes share no `pause` image for the demo’s workload; name an image that runs without arguments with --image',
  )
}

/** The image every Pod has underneath, which does nothing: it need not be pulled. */
function pauseOf(nodes: readonly (readonly string[])[]): string | undefined {
  const isPause = (name: string) => /\/pause:[\w.-]+$/.test(name)
  return nodes[0]?.find((name) => isPause(name) && nodes.every((names) => names.includes(name)))
}

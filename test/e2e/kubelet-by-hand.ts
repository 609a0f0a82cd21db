import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeClient } from '@jackstay/kube/client'
import { z } from 'zod'

const container = z.looseObject({
  name: z.string(),
  command: z.array(z.string()),
  env: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
})
const token = z.looseObject({
  ...{ audience: z.string(), path: z.string(), expirationSeconds: z.number() },
})
const volume = z.looseObject({
  name: z.string(),
  configMap: z.looseObject({ name: z.string() }).optional(),
  projected: z
    .looseObject({ sources: z.array(z.strictObject({ serviceAccountToken: token })) })
    .optional(),
})
const pod = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string(), uid: z.string() }),
  spec: z.looseObject({
    serviceAccountName: z.string(),
    initContainers: z.array(container).default([]),
    containers: z.array(container),
    volumes: z.array(volume),
  }),
})
const configMap = z.looseObject({
  data: z.record(z.string(), z.string()).default({}),
  binaryData: z.record(z.string(), z.string()).default({}),
})

/** How a container of a Pod is started beside the cluster. */
export interface Start {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Folders, by the paths at which the container has them. */
  readonly mounts: Readonly<Record<string, string>>
}

/**
 * What a kubelet makes of a Pod that no node runs: its volumes as folders, with ConfigMaps and Pod-bound
 * tokens in them, and for each container what to start, its paths led to those folders.
 */
export async function prepare(
  client: KubeClient,
  object: unknown,
  folder: string,
): Promise<Readonly<Record<string, Start>>> {
  const { metadata, spec } = pod.parse(object)
  const { name, namespace, uid } = metadata
  const folders: Record<string, string> = {}
  for (const one of spec.volumes) {
    const at = join(folder, one.name)
    folders[one.name] = at
    await mkdir(at, { recursive: true, mode: 0o700 })
    if (one.configMap !== undefined) {
      const ref = { apiVersion: 'v1', resource: 'configmaps', namespace, name: one.configMap.name }
      const { data, binaryData } = configMap.parse(await client.get(ref))
      for (const [key, text] of Object.entries(data)) await writeFile(join(at, key), text)
      for (const [key, bytes] of Object.entries(binaryData)) {
        await writeFile(join(at, key), Buffer.from(bytes, 'base64'))
      }
    }
    for (const { serviceAccountToken } of one.projected?.sources ?? []) {
      const { audience, path, expirationSeconds } = serviceAccountToken
      const made = await client.createToken(namespace, spec.serviceAccountName, {
        ...{ audiences: [audience], expirationSeconds },
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      })
      await writeFile(join(at, path), made.token, { mode: 0o600 })
    }
  }
  const starts = [...spec.initContainers, ...spec.containers].map((one) => {
    const mounts = Object.fromEntries(
      one.volumeMounts.map((mount) => [mount.mountPath, folders[mount.name] ?? '']),
    )
    const led = (text: string) => leading(text, mounts)
    const env = Object.fromEntries(one.env.map(({ name: key, value }) => [key, led(value)]))
    return [one.name, { command: one.command.map(led), env, mounts }] as const
  })
  return Object.fromEntries(starts)
}

/** The longest path first: one may begin another. */
function leading(text: string, mounts: Readonly<Record<string, string>>): string {
  const paths = Object.keys(mounts).toSorted((a, b) => b.length - a.length)
  if (paths.length === 0) return text
  return text.replace(
    new RegExp(paths.map((path) => path.replaceAll('.', '\\.')).join('|'), 'g'),
    (path) => {
      return mounts[path] ?? path
    },
  )
}

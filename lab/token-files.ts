import { rename, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '@jackstay/kube/client'

export interface TokenFileOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly serviceAccount: string
  readonly audiences: readonly string[]
  /** Binds the token to this Pod, as the kubelet would. */
  readonly pod?: { readonly name: string; readonly uid: string }
  readonly path: string
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

const lifetimeSeconds = 3600
const renewMs = 20 * 60_000

async function write(options: TokenFileOptions): Promise<void> {
  const { client, namespace, serviceAccount, audiences, pod, path, signal } = options
  const { token } = await client.createToken(namespace, serviceAccount, {
    audiences,
    expirationSeconds: lifetimeSeconds,
    signal,
    ...(pod && { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod } }),
  })
  await writeFile(`${path}.new`, token, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** Keeps a ServiceAccount's token in a file, renewed like a projected one, until the signal aborts. */
export async function keepTokenFile(options: TokenFileOptions): Promise<void> {
  await write(options)
  void renew(options)
}

async function renew(options: TokenFileOptions): Promise<void> {
  const { signal, onError } = options
  while (!signal.aborted) {
    await sleep(renewMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    await write(options).catch(onError)
  }
}

import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { usageError } from './failure.ts'
import { defaultServer, type GlobalFlags } from './flags.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

/** Runs `use` with a client that acts as the user, and closes it. */
export async function withCluster<T>(
  { kubeconfig, context }: GlobalFlags,
  terminal: Terminal,
  use: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const options = {
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
  }
  const client = connect(loadConfig(options, terminal.env), {
    userAgent: `jackstay-cli/${version}`,
  })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

/** Where the mediator is: the flag, else `JACKSTAY_SERVER`, else this machine. */
export function serverUrl({ server }: GlobalFlags, { env }: Terminal): URL {
  const text = server ?? (env.JACKSTAY_SERVER || defaultServer)
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageError(`\`${text}\` is no address of a server; write it like ${defaultServer}`)
  }
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'http:' && !loopback) {
    throw usageError(
      `\`${text}\` is plain HTTP beyond this machine and would show your token; use https, or forward the port`,
    )
  }
  return url
}

import { attach, availability, type Cluster, up } from '@jackstay/cluster/cluster'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { installJackstay } from '@jackstay/lab/install'
import { type Ran, run } from '@jackstay/lab/shell'

export interface World {
  readonly cluster: Cluster
  readonly admin: KubeClient
  kubectl(
    args: readonly string[],
    options?: { readonly stdin?: string; readonly kubeconfig?: string },
  ): Promise<Ran>
}

let made: Promise<World> | undefined

export function world(): Promise<World> {
  made ??= make()
  return made
}

async function make(): Promise<World> {
  const name = process.env.JACKSTAY_E2E_CLUSTER
  await availability()
  const cluster = name === undefined ? await up({ mode: 'control-plane' }) : await attach(name)
  const { kubectl, kubeconfig } = cluster
  const signal = new AbortController().signal
  await installJackstay({ kubectl, kubeconfig, signal })
  return {
    cluster,
    admin: connect(loadConfig({ kubeconfig }), { userAgent: 'jackstay-e2e' }),
    kubectl: (args, options = {}) =>
      run(kubectl, args, {
        signal,
        env: { KUBECONFIG: options.kubeconfig ?? kubeconfig },
        ...(options.stdin !== undefined && { stdin: options.stdin }),
      }),
  }
}

import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'

const timeoutMs = 30_000

/** A client for everything that an administrator makes. */
export function adminOf(kubeconfig: string): KubeClient {
  return connect(loadConfig({ kubeconfig }), { userAgent: 'jackstay-demo', timeoutMs })
}

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { audiences } from '@jackstay/contract/enrolment'
import type { KubeClient } from '@jackstay/kube/client'
import { find } from '@jackstay/kube/find'
import { keepTokenFile } from './token-files.ts'

export interface AgentPod {
  readonly namespace: string
  readonly serviceAccount: string
  readonly name: string
  readonly uid: string
  /** Holds one token file per audience: `enrol`, `intent`, `tools`. */
  readonly tokens: string
}

export interface AgentPodOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly serviceAccount: string
  readonly name: string
  readonly directory: string
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

/**
 * A Pod that exists and is never scheduled, with the tokens a kubelet would project into it. Until
 * the operator makes real ones, agents run as processes beside the cluster in the name of such Pods.
 */
export async function createAgentPod(options: AgentPodOptions): Promise<AgentPod> {
  const { client, namespace, serviceAccount, name, directory, signal, onError } = options
  const uid = await uidOf(options)
  const tokens = join(directory, `${namespace}.${name}.tokens`)
  await mkdir(tokens, { recursive: true, mode: 0o700 })
  for (const purpose of ['enrol', 'intent', 'tools'] as const) {
    await keepTokenFile({
      ...{ client, namespace, serviceAccount, signal, onError },
      audiences: [audiences[purpose]],
      pod: { name, uid },
      path: join(tokens, purpose),
    })
  }
  return { namespace, serviceAccount, name, uid, tokens }
}

const pods = { apiVersion: 'v1', resource: 'pods' }

/** Of the Pod that is there from an earlier start, or of a new one. */
async function uidOf(options: AgentPodOptions): Promise<string> {
  const { client, namespace, serviceAccount, name, signal } = options
  const found = await find(client, { ...pods, namespace, name }, { signal })
  if (found?.metadata.uid !== undefined) return found.metadata.uid
  const created = await client.create(pods, namespace, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/name': serviceAccount } },
    spec: {
      schedulingGates: [{ name: 'jackstay.dev/runs-elsewhere' }],
      serviceAccountName: serviceAccount,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'agent',
          image: 'jackstay.local/agent:none',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  })
  if (created.kind !== 'applied') {
    throw new Error(`the Pod of the agent could not be created: ${JSON.stringify(created)}`)
  }
  return created.object.metadata.uid ?? ''
}

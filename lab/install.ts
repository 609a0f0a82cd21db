import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { demand, run } from './shell.ts'

export interface InstallOptions {
  /** Path of kubectl. */
  readonly kubectl: string
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string
  readonly signal: AbortSignal
}

export const chart = new URL('../charts/jackstay/', import.meta.url).pathname

/** Server-side applies files or, from standard input, manifests. */
export async function apply(
  options: InstallOptions,
  what: readonly string[] | string,
): Promise<void> {
  const files = typeof what === 'string' ? ['-f', '-'] : what.flatMap((file) => ['-f', file])
  const args = ['apply', '--server-side', '--force-conflicts', '--field-manager=jackstay-install']
  await demand(options.kubectl, [...args, ...files], {
    signal: options.signal,
    env: { KUBECONFIG: options.kubeconfig },
    ...(typeof what === 'string' && { stdin: what }),
  })
}

/** Applies manifests as one list. */
export async function applyObjects(
  options: InstallOptions,
  objects: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  await apply(options, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
}

/** Installs kinds, namespaces, roles and policies, and waits until they bite. Safe to repeat. */
export async function installJackstay(options: InstallOptions): Promise<void> {
  const { kubectl, kubeconfig, signal } = options
  const env = { KUBECONFIG: kubeconfig }
  await apply(options, [join(chart, 'crds')])
  await demand(
    kubectl,
    ['wait', '--for=condition=Established', '--timeout=30s', '-f', join(chart, 'crds')],
    { signal, env },
  )
  await apply(options, [join(chart, 'namespaces.yaml')])
  await apply(options, [join(chart, 'roles')])
  await apply(options, [join(chart, 'policies')])
  await untilPoliciesBite(options)
}

const biteMs = 30_000

/** A policy works a moment after its creation: asks with dry-runs that every one of them refuses. */
async function untilPoliciesBite({ kubectl, kubeconfig, signal }: InstallOptions): Promise<void> {
  const canary = {
    apiVersion: 'jackstay.dev/v1alpha1',
    kind: 'Approval',
    metadata: { name: 'canary', namespace: 'jackstay-system' },
    spec: {
      subject: {
        kind: 'Intent',
        name: 'canary',
        uid: '00000000-0000-4000-8000-000000000000',
      },
      digest: `sha256:${'0'.repeat(64)}`,
      verdict: 'reject',
      approver: 'nobody-you-are',
      groups: [],
      reason: 'an approval in a name that is not mine',
    },
  }
  const until = performance.now() + biteMs
  for (;;) {
    const args = ['create', '--dry-run=server', '-f', '-']
    const env = { KUBECONFIG: kubeconfig }
    const { code, stderr } = await run(kubectl, args, {
      signal,
      env,
      stdin: JSON.stringify(canary),
    })
    if (code !== 0 && stderr.includes('jackstay-approvals-identified')) return
    if (performance.now() > until) {
      throw new Error(`the admission policies do not bite after ${biteMs / 1000} s: ${stderr}`)
    }
    await sleep(200, undefined, { signal })
  }
}

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemNamespace } from '@jackstay/contract/namespaces'
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

/** Refuses one ConfigMap that nobody else would make. */
function canaryPolicy(name: string): Readonly<Record<string, unknown>>[] {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const rule = {
    ...{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
    resourceNames: [name],
  }
  return [
    {
      ...{ apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name } },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: 'false', message: name }],
      },
    },
    {
      ...{ apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name } },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ]
}

/**
 * A policy works a moment after its creation. The API server learns of policies in the order they were
 * written, so one more, written last, tells by its refusal that all before it work, changed ones too.
 */
async function untilPoliciesBite(options: InstallOptions): Promise<void> {
  const { kubectl, kubeconfig, signal } = options
  const env = { KUBECONFIG: kubeconfig }
  const name = `jackstay-canary-${randomBytes(4).toString('hex')}`
  const metadata = { name, namespace: systemNamespace }
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
  const until = performance.now() + biteMs
  await applyObjects(options, canaryPolicy(name))
  try {
    for (;;) {
      const args = ['create', '--dry-run=server', '-f', '-']
      const { code, stderr } = await run(kubectl, args, { signal, env, stdin })
      if (code !== 0 && stderr.includes(name) && stderr.includes('denied request')) return
      if (performance.now() > until) {
        throw new Error(`the admission policies do not bite after ${biteMs / 1000} s: ${stderr}`)
      }
      await sleep(200, undefined, { signal })
    }
  } finally {
    const kinds = 'validatingadmissionpolicybindings,validatingadmissionpolicies'
    const removed = { signal: AbortSignal.timeout(biteMs), env }
    await demand(kubectl, ['delete', kinds, name, '--ignore-not-found'], removed)
  }
}

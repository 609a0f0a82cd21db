import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { z } from 'zod'
import { demand, run } from './shell.ts'

export interface InstallOptions {
  /** Path of kubectl. */
  readonly kubectl: string
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string
  readonly signal: AbortSignal
  /** Told what stands in the cluster now, for whoever has to take it away again. */
  readonly onApplied?: (objects: readonly Applied[]) => void
}

const applied = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string(),
  }),
})
/** An object as the API server answered. */
export type Applied = z.infer<typeof applied>

/** The field manager of everything that is installed. */
export const installer = 'jackstay-install'

export const chart = new URL('../charts/jackstay/', import.meta.url).pathname

/** Server-side applies files or, from standard input, manifests. */
export async function apply(
  options: InstallOptions,
  what: readonly string[] | string,
): Promise<void> {
  const files = typeof what === 'string' ? ['-f', '-'] : what.flatMap((file) => ['-f', file])
  const args = ['apply', '--server-side', '--force-conflicts', `--field-manager=${installer}`]
  const { kubectl, kubeconfig, signal, onApplied } = options
  const output = onApplied === undefined ? [] : ['--output=json']
  const answer = await demand(kubectl, [...args, ...files, ...output], {
    signal,
    env: { KUBECONFIG: kubeconfig },
    ...(typeof what === 'string' && { stdin: what }),
  })
  onApplied?.(appliedIn(answer))
}

function appliedIn(answer: string): readonly Applied[] {
  const value: unknown = JSON.parse(answer)
  const list = z.object({ kind: z.literal('List'), items: z.array(applied) }).safeParse(value)
  return list.success ? list.data.items : [applied.parse(value)]
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
/** How the names of policies begin that last for a moment only. */
export const canary = 'jackstay-canary-'

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
  const name = `${canary}${randomBytes(4).toString('hex')}`
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
